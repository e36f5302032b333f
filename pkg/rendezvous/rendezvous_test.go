package rendezvous

import (
	"encoding/binary"
	"testing"

	"github.com/google/uuid"
)

func owner(key uint64, instances []string) string {
	best, score := "", uint64(0)
	for _, i := range instances {
		if s := Score(key, Hash(i)); best == "" || s > score {
			best, score = i, s
		}
	}
	return best
}

// event returns the nth of a sequence of ids as event-service creates them.
func event(n int) uuid.UUID {
	id := uuid.MustParse("0190b0a0-0000-7000-8000-000000000001")
	binary.BigEndian.PutUint64(id[:8], binary.BigEndian.Uint64(id[:8])+uint64(n))
	return id
}

func TestWorkIsSpreadEvenlyAndMovesOnlyFromLostInstance(t *testing.T) {
	instances := []string{"booking-service-1", "booking-service-2", "booking-service-3"}
	const events = 3000
	owned := map[string]int{}
	for n := range events {
		key := Event(event(n))
		before, after := owner(key, instances), owner(key, instances[:2])
		owned[before]++
		if before != instances[2] && before != after {
			t.Fatalf("event %d moved from %s, which is still there, to %s", n, before, after)
		}
	}
	for _, i := range instances {
		if owned[i] < events*28/100 || owned[i] > events*39/100 {
			t.Errorf("%s owns %d of %d events", i, owned[i], events)
		}
	}
}

func TestEventAndItsBookingsHaveOneKey(t *testing.T) {
	seen := map[uint64]int{}
	for n := range 1000 {
		id, booking := event(n), uuid.New()
		copy(booking[:8], id[:8])
		key := Event(id)
		if Event(booking) != key {
			t.Fatalf("event %s and its booking %s have different keys", id, booking)
		}
		if other, taken := seen[key]; taken {
			t.Fatalf("events %d and %d have the same key", other, n)
		}
		seen[key] = n
	}
}
