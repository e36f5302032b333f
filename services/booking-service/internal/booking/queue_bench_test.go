package booking_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// BenchmarkQueue measures what 200,000 people who wait cost a replica.
func BenchmarkQueue(b *testing.B) {
	const people = 200_000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		before := heap()
		now := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
		s := booking.NewState()
		apply := func(commands ...*logpb.Command) {
			round := s.NewRound(now)
			for _, c := range commands {
				round.Decide(c)
			}
			if err := s.Apply(s.Seq+1, &logpb.Entry{Operations: round.Operations}); err != nil {
				b.Fatal(err)
			}
		}
		definition, err := booking.Definition(events.EventChanged{
			EventID: uuid.Must(uuid.NewV7()), Version: 1, Status: events.StatusPublished, SaleStartsAt: now.Add(time.Hour),
			SaleEndsAt: now.Add(24 * time.Hour), EndsAt: now.Add(48 * time.Hour),
			Queue: events.Queue{Mode: events.QueueAlways, OpensBeforeSeconds: 3600, AdmissionSeconds: 600},
		})
		if err != nil {
			b.Fatal(err)
		}
		apply(&logpb.Command{Kind: &logpb.Command_Define{Define: &logpb.Define{Definition: definition}}})
		start := time.Now()
		for range people / 500 {
			var round []*logpb.Command
			for range 500 {
				user := uuid.New()
				round = append(round, &logpb.Command{Kind: &logpb.Command_Arrive{Arrive: &logpb.Arrive{User: user[:], Solved: true, Network: uint64(len(round)) + 1}}})
			}
			apply(round...)
		}
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/people, "ns/join")
		b.ReportMetric(float64(heap()-before)/people, "B/place")
		now = now.Add(time.Hour)
		start = time.Now()
		apply(serveUpTo(0))
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/draw")
		start = time.Now()
		frozen := s.Freeze()
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/freeze")
		start = time.Now()
		snapshot, err := frozen.Encode()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/snapshot")
		b.ReportMetric(float64(len(snapshot))/people, "snapshot-B/place")
		start = time.Now()
		if _, err := booking.Restore(snapshot); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/restore")
		start = time.Now()
		s.QueueReport(now)
		b.ReportMetric(float64(time.Since(start).Microseconds()), "µs/report")
	}
}
