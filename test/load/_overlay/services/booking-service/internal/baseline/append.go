package baseline

import (
	"context"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// AppendLoad is the throughput of the log alone.
type AppendLoad struct {
	// PerSecond counts holds per second, Count all holds.
	PerSecond float64 `json:"per_second"`
	Count     int     `json:"count"`
}

// holdsPerEntry is the number of holds in each entry that Append writes.
const holdsPerEntry = 100

// Append appends entries of 100 holds of two seats each to the log of an event
// that does not exist, one after the other, for the given time.
func Append(ctx context.Context, store eventlog.Store, length time.Duration) (AppendLoad, error) {
	id := eventlog.IDOf(uuid.Must(uuid.NewV7()))
	user := uuid.New()
	entry := &logpb.Entry{}
	for i := range uint32(holdsPerEntry) {
		entry.Operations = append(entry.Operations, &logpb.Operation{Kind: &logpb.Operation_Held{Held: &logpb.Held{
			Booking: uint64(i) << 32, User: user[:], Holder: "buyer@frontrow.example", Seats: []uint32{2 * i, 2*i + 1},
			At: time.Now().UnixMilli(), Expires: time.Now().UnixMilli(),
		}}})
	}
	begin, n := time.Now(), int64(0)
	for ; time.Since(begin) < length; n++ {
		attempt := uuid.New()
		entry.Id = attempt[:]
		data, err := proto.Marshal(entry)
		if err != nil {
			return AppendLoad{}, err
		}
		if _, err := store.Append(ctx, id, n, data); err != nil {
			return AppendLoad{}, err
		}
	}
	count := int(n) * holdsPerEntry
	return AppendLoad{PerSecond: float64(count) / time.Since(begin).Seconds(), Count: count}, nil
}
