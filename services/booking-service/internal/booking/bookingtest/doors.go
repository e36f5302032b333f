package bookingtest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// conformingDoors is what every booking.Store must do about check-ins.
func conformingDoors(t *testing.T, store booking.Store) {
	newID := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	now := time.Now().UTC().Truncate(time.Millisecond)

	t.Run("a ticket is admitted once, and its check-in stays", func(t *testing.T) {
		home := booking.BlockID{Event: newID(), Block: 3}
		first := booking.CheckIn{Ticket: newID(), Scan: newID(), At: now, Scanner: newID()}
		again := booking.CheckIn{Ticket: first.Ticket, Scan: newID(), At: now.Add(time.Minute), Scanner: newID()}
		for i, in := range []booking.CheckIn{first, first, again} {
			stands, err := store.Admit(t.Context(), home, in)
			if diff := cmp.Diff(first, stands); err != nil || diff != "" {
				t.Errorf("scan %d: %s %v", i, diff, err)
			}
		}
		other := booking.CheckIn{Ticket: newID(), Scan: newID(), At: now, Scanner: first.Scanner}
		if stands, err := store.Admit(t.Context(), home, other); err != nil || stands != other {
			t.Errorf("another ticket: %+v %v", stands, err)
		}
		all, err := store.CheckIns(t.Context(), home)
		want := map[uuid.UUID]booking.CheckIn{first.Ticket: first, other.Ticket: other}
		if diff := cmp.Diff(want, all); err != nil || diff != "" {
			t.Error(diff, err)
		}
		if none, err := store.CheckIns(t.Context(), booking.BlockID{Event: home.Event, Block: 4}); err != nil || len(none) != 0 {
			t.Errorf("in another block: %v %v", none, err)
		}
	})

	t.Run("of twenty doors one admits", func(t *testing.T) {
		home, ticket := booking.BlockID{Event: newID(), Block: 1}, newID()
		stands := make([]booking.CheckIn, 20)
		var group sync.WaitGroup
		for i := range stands {
			in := booking.CheckIn{Ticket: ticket, Scan: newID(), At: now, Scanner: newID()}
			group.Go(func() {
				for {
					var err error
					if stands[i], err = store.Admit(t.Context(), home, in); err == nil {
						return
					}
					if !errors.Is(err, booking.ErrUnknown) {
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		for i := range stands {
			if stands[i] != stands[0] {
				t.Fatalf("two were admitted: %+v, %+v", stands[0], stands[i])
			}
		}
	})

	t.Run("the log is read newest first, in pages", func(t *testing.T) {
		event := newID()
		seat := booking.BookedSeat{
			ID: booking.SeatID{Block: 2, Index: 1}, Section: "Stalls", Row: "A", Number: "2",
			TicketTypeID: "stalls", TicketTypeName: "Stalls", Price: 5000,
		}
		var want []booking.Scan
		for i, result := range []booking.ScanResult{booking.Forged, booking.WrongEvent, booking.NotValid, booking.AlreadyUsed, booking.Admitted} {
			scan := booking.Scan{
				ID: newID(), Event: event, CodeHash: []byte{byte(i), 0, 255}, Result: result, At: now.Add(time.Duration(i) * time.Second), Scanner: newID(),
			}
			if result != booking.Forged {
				scan.Ticket = newID()
			}
			if result == booking.AlreadyUsed || result == booking.Admitted {
				scan.Seat, scan.Holder = &seat, "ada@example.com"
			}
			if result == booking.AlreadyUsed {
				scan.AdmittedAt = &now
			}
			for range 2 { // a line may be written again
				if err := store.SaveScan(t.Context(), scan); err != nil {
					t.Fatal(err)
				}
			}
			want = append([]booking.Scan{scan}, want...)
		}
		var got []booking.Scan
		before := uuid.Max
		for {
			page, err := store.Scans(t.Context(), event, before, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			got, before = append(got, page...), page[len(page)-1].ID
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for _, w := range want {
			scan, found, err := store.FindScan(t.Context(), event, w.ID)
			if diff := cmp.Diff(w, scan); err != nil || !found || diff != "" {
				t.Errorf("%v %v %s", found, err, diff)
			}
		}
		if _, found, err := store.FindScan(t.Context(), newID(), want[0].ID); err != nil || found {
			t.Errorf("at another event: %v %v", found, err)
		}
	})
}
