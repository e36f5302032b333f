package traffic

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

const (
	// retryTimeout is how long a buyer retries a request without a final answer.
	retryTimeout = 30 * time.Second
	// maxThinkTime is the maximum pause between two journeys.
	maxThinkTime = 3 * time.Second
	poll         = 150 * time.Millisecond
)

// buyer makes one journey after another: chooses seats, holds them, pays or
// not.
type buyer struct {
	*person
}

func (b *buyer) run(ctx context.Context) {
	for ctx.Err() == nil {
		b.journey(ctx)
		clock.Sleep(ctx, time.Duration(b.dice.Int64N(int64(maxThinkTime))))
	}
}

// chance returns true with the given probability in percent.
func (b *buyer) chance(percent int) bool { return b.dice.IntN(100) < percent }

func (b *buyer) journey(ctx context.Context) {
	sale := b.pickSale()
	if sale == nil {
		return
	}
	if b.chance(20) {
		b.call(ctx, b.gateway(), callTimeout, history.Call{Kind: history.Seats, EventID: sale.ID}, readSeats(sale.ID))
	}
	selection, key := b.selection(sale), newKey()
	waits := retryTimeout
	if b.chance(15) {
		// A buyer who leaves at the first refusal or unknown outcome: whatever
		// took effect must match the response.
		waits = 0
	}
	held := b.hold(ctx, waits, selection, key)
	if held == nil {
		return
	}
	if b.chance(10) {
		b.hold(ctx, 0, selection, key) // an impatient second click
	}
	b.decide(ctx, *held)
}

func (b *buyer) pickSale() *Sale {
	sim := b.sim
	sim.mu.Lock()
	defer sim.mu.Unlock()
	if len(sim.sales) == 0 {
		return nil
	}
	return sim.sales[b.dice.IntN(len(sim.sales))]
}

// selection mostly requests neighbouring seats at the front, which all buyers want;
// sometimes seats in several blocks, the best available, or standing places.
func (b *buyer) selection(s *Sale) client.NewBooking {
	selection := client.NewBooking{EventID: s.ID}
	neighbours := func(block, count int) {
		seats := s.Seats[block]
		front := len(seats)
		if b.chance(65) {
			front = 2 * seatsPerRow
		}
		first := b.dice.IntN(front - count)
		selection.SeatIDs = append(selection.SeatIDs, seats[first:first+count]...)
	}
	switch roll := b.dice.IntN(100); {
	case roll < 50:
		neighbours(b.dice.IntN(len(s.Seats)), 1+b.dice.IntN(4))
	case roll < 75:
		blocks := b.dice.Perm(len(s.Seats))
		for _, block := range blocks[:2+b.dice.IntN(len(blocks)-1)] {
			neighbours(block, 1+b.dice.IntN(2))
		}
	case roll < 88:
		selection.TicketTypeID, selection.Quantity = "seated", 1+b.dice.IntN(3)
	default:
		selection.TicketTypeID, selection.Quantity = "standing", 1+b.dice.IntN(3)
	}
	return selection
}

// hold returns the booking, or nil if there is none or the outcome is unknown.
func (b *buyer) hold(ctx context.Context, waits time.Duration, selection client.NewBooking, key string) *client.Booking {
	answer := b.retry(ctx, waits, holdCall(selection, key), sendHold(selection, key))
	if answer.Outcome != history.Done {
		return nil
	}
	return &answer.Bookings[0]
}

func holdCall(selection client.NewBooking, key string) history.Call {
	return history.Call{Kind: history.Hold, Key: key, EventID: selection.EventID, Want: selection.SeatIDs, Quantity: selection.Quantity}
}

func sendHold(selection client.NewBooking, key string) request {
	return func(ctx context.Context, c *client.Client, call *history.Call) error {
		held, err := c.Hold(ctx, selection, key)
		if err == nil {
			call.BookingID, call.Bookings = held.ID, []client.Booking{held}
		}
		return err
	}
}

// decide chooses what a buyer does with a hold.
func (b *buyer) decide(ctx context.Context, held client.Booking) {
	anyMethod := []string{"pm_ok", "pm_slow", "pm_unknown", "pm_duplicate_webhook"}
	switch roll := b.dice.IntN(100); {
	case roll < 8: // abandoned: it expires
	case roll < 14: // watched until it expires
		b.follow(ctx, held, (HoldSeconds+5)*time.Second)
	case roll < 22: // a change of mind
		b.cancel(ctx, held)
	case roll < 30:
		b.pay(ctx, held, "pm_declined")
		b.follow(ctx, held, 2*time.Second)
		b.pay(ctx, held, "pm_ok")
		b.follow(ctx, held, retryTimeout)
	case roll < 34:
		b.pay(ctx, held, "pm_insufficient_funds")
		b.follow(ctx, held, 2*time.Second)
	case roll < 52: // at the last moment
		moment := time.Until(held.ExpiresAt) - time.Duration(b.dice.Int64N(int64(300*time.Millisecond)))
		clock.Sleep(ctx, moment)
		b.pay(ctx, held, "pm_ok")
		b.follow(ctx, held, retryTimeout)
	case roll < 58: // before or after the capture
		b.pay(ctx, held, anyMethod[b.dice.IntN(4)])
		b.cancel(ctx, held)
	case roll < 75: // paid, then cancelled
		b.pay(ctx, held, anyMethod[b.dice.IntN(4)])
		if b.follow(ctx, held, retryTimeout) == "confirmed" {
			b.cancel(ctx, held)
		}
	default:
		b.pay(ctx, held, anyMethod[b.dice.IntN(4)])
		b.follow(ctx, held, retryTimeout)
	}
}

func (b *buyer) cancel(ctx context.Context, held client.Booking) {
	b.retry(ctx, retryTimeout, cancelCall(held), sendCancel(held))
}

func cancelCall(held client.Booking) history.Call {
	return history.Call{Kind: history.Cancel, EventID: held.EventID, BookingID: held.ID}
}

func sendCancel(held client.Booking) request {
	return func(ctx context.Context, c *client.Client, call *history.Call) error {
		cancelled, err := c.CancelBooking(ctx, held.ID)
		if err == nil {
			call.Bookings = []client.Booking{cancelled}
		}
		return err
	}
}

func (b *buyer) pay(ctx context.Context, held client.Booking, method string) {
	key := newKey()
	waits := retryTimeout
	if b.chance(10) {
		waits = 0
	}
	b.retry(ctx, waits, history.Call{Kind: history.Pay, Key: key, EventID: held.EventID, BookingID: held.ID, Method: method},
		func(ctx context.Context, c *client.Client, call *history.Call) error {
			payment, err := c.Pay(ctx, held.ID, method, key)
			if err == nil {
				call.Payment = &payment
			}
			return err
		})
}

// follow polls the booking until it is no longer held, at most for limit; it
// returns the last status. A hold whose card was declined continues: then the
// next card is tried.
func (b *buyer) follow(ctx context.Context, held client.Booking, limit time.Duration) string {
	deadline := time.Now().Add(limit)
	status := ""
	for wait := poll; ctx.Err() == nil && time.Now().Before(deadline); wait = min(wait*5/4, time.Second) {
		answer := b.retry(ctx, 5*time.Second, history.Call{Kind: history.ReadBooking, EventID: held.EventID, BookingID: held.ID},
			func(ctx context.Context, c *client.Client, call *history.Call) error {
				read, err := c.Booking(ctx, held.ID)
				if err == nil {
					call.Bookings = []client.Booking{read}
				}
				return err
			})
		if answer.Outcome == history.Done {
			read := answer.Bookings[0]
			status = read.Status
			if status != "held" || read.Payment.Status == "failed" {
				return status
			}
		}
		clock.Sleep(ctx, wait)
	}
	return status
}
