package audit

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestSeatsSoldTwiceAreFound(t *testing.T) {
	a, b := uuid.MustParse("00000000-0000-7000-8000-00000000000a"), uuid.MustParse("00000000-0000-7000-8000-00000000000b")
	sold := func(id uuid.UUID, status string, seats ...string) booking {
		document := map[string]any{"id": id, "status": status, "total": map[string]int{"amount": 100}}
		var list []map[string]string
		for _, s := range seats {
			list = append(list, map[string]string{"id": s})
		}
		document["seats"] = list
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		var out booking
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	tests := []struct {
		name     string
		owners   map[string]uuid.UUID
		bookings []booking
		want     []string
	}{
		{"each seat once", map[string]uuid.UUID{"1-0": a, "1-1": b}, []booking{sold(a, "confirmed", "1-0"), sold(b, "held", "1-1")}, nil},
		{"the ended one does not count", map[string]uuid.UUID{"1-0": b}, []booking{sold(a, "expired", "1-0"), sold(b, "confirmed", "1-0")}, nil},
		{"two live bookings of one seat", map[string]uuid.UUID{"1-0": a}, []booking{sold(a, "confirmed", "1-0"), sold(b, "held", "1-0")}, []string{"1-0"}},
		{"a confirmed seat that is another's", map[string]uuid.UUID{"1-0": b}, []booking{sold(a, "confirmed", "1-0")}, []string{"1-0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Report
			r.countBookings(tt.bookings, tt.owners)
			if diff := cmp.Diff(tt.want, r.SoldTwice); diff != "" {
				t.Errorf("seats sold twice (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDifferenceIsTheMoneyWithoutASeat(t *testing.T) {
	if got := (Report{Captured: 900, Refunded: 200, Price: 500}).Difference(); got != 200 {
		t.Errorf("got %d, want 200", got)
	}
}
