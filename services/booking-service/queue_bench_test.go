package main

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/cassandra"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// alone is the only replica. Nothing follows or publishes its logs.
type alone struct{}

func (alone) Owner(eventlog.ID) string                                     { return "" }
func (alone) Publish(eventlog.ID, eventlog.Stored)                         {}
func (alone) Availability(context.Context, events.EventAvailability) error { return nil }
func (alone) Send(context.Context, string, []*logpb.Command) ([]*logpb.Answer, bool, error) {
	return nil, false, nil
}

type nowhere struct{ alone }

func (nowhere) Publish(context.Context, []booking.Message) error { return nil }

// takePlace gives a user the next number, once: what a queue in Redis would do.
var takePlace = redis.NewScript(`
local number = redis.call('HGET', KEYS[1], ARGV[1])
if number then return number end
number = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], ARGV[1], number)
return number`)

// BenchmarkPlaces compares where the places of a queue could be: in the event's
// log, or in Redis. 512 people arrive at the same time, again and again.
func BenchmarkPlaces(b *testing.B) {
	b.Run("log", func(b *testing.B) {
		cfg := cassandra.Config{Hosts: testkit.Cassandra(b), Keyspace: testkit.Unique("places"), Replication: 1}
		if err := cassandra.Migrate(b.Context(), cfg); err != nil {
			b.Fatal(err)
		}
		store := cassandra.New(cfg)
		defer store.Close()
		engine := eventlog.New(store, alone{}, nowhere{}, alone{}, clock.System{}, time.Second)
		defer func() { _ = engine.Close(context.Background()) }()
		now := time.Now()
		def := events.EventChanged{
			EventID: uuid.Must(uuid.NewV7()), Version: 1, Status: events.StatusPublished, SaleStartsAt: now.Add(time.Hour),
			SaleEndsAt: now.Add(24 * time.Hour), EndsAt: now.Add(48 * time.Hour),
			Queue: events.Queue{Mode: events.QueueAlways, OpensBeforeSeconds: 7200, AdmissionSeconds: 600},
		}
		if _, err := engine.Define(b.Context(), def); err != nil {
			b.Fatal(err)
		}
		arriveAll(b, func(ctx context.Context, user uuid.UUID) error {
			_, err := engine.Do(ctx, &logpb.Command{
				Event: uint64(eventlog.IDOf(def.EventID)), Kind: &logpb.Command_Arrive{Arrive: &logpb.Arrive{User: user[:], Solved: true}},
			})
			return err
		})
	})
	b.Run("redis", func(b *testing.B) {
		rdb, err := redisclient.New(testkit.Redis(b))
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = rdb.Close() }()
		key := testkit.Unique("{places}")
		arriveAll(b, func(ctx context.Context, user uuid.UUID) error {
			return takePlace.Run(ctx, rdb, []string{key, key + "-last"}, user[:]).Err()
		})
	})
}

func arriveAll(b *testing.B, arrive func(context.Context, uuid.UUID) error) {
	b.Helper()
	var failed atomic.Int64
	b.SetParallelism(256)
	start := time.Now()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if arrive(b.Context(), uuid.New()) != nil {
				failed.Add(1)
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "joins/s")
	if failed.Load() > 0 {
		b.Errorf("%d of %d joins failed", failed.Load(), b.N)
	}
}
