package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
)

// attemptsPerBuyer is how often a buyer tries to get seats.
const attemptsPerBuyer = 5

// buyer is one simulated customer. Its behaviour depends only on its number, so that
// every run makes the same requests.
type buyer struct {
	client *client.Client
	dice   *rand.Rand

	tried, won, refused, failed int
	failure                     error
	payments                    []string
	bookings                    []client.Booking // at the end
	paid                        []client.Payment // at the end
}

// registerBuyers registers all buyers, a few at a time: each password hash is
// expensive.
func registerBuyers(ctx context.Context, url string, out *progress) ([]*buyer, error) {
	buyers, errs := make([]*buyer, buyerCount), make([]error, buyerCount)
	var registered atomic.Int64
	stop := out.watch(func() string { return fmt.Sprintf("registering buyers: %d of %d", registered.Load(), buyerCount) })
	defer stop()
	anonymous := client.New(url, nil)
	slots := make(chan struct{}, 4)
	var wg sync.WaitGroup
	for i := range buyerCount {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c, _, err := registerAndLogIn(ctx, anonymous, fmt.Sprintf("Buyer %d", i+1))
			buyers[i], errs[i] = &buyer{client: c, dice: rand.New(rand.NewPCG(1, uint64(i)))}, err
			registered.Add(1)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("register buyer: %w", err)
		}
	}
	return buyers, nil
}

// buyConcurrently lets all buyers buy at once.
func buyConcurrently(ctx context.Context, buyers []*buyer, s *sale, out *progress) {
	var tried, won, refused atomic.Int64
	stop := out.watch(func() string {
		return fmt.Sprintf("buying: %d attempts, %d holds, %d refused", tried.Load(), won.Load(), refused.Load())
	})
	defer stop()
	var wg sync.WaitGroup
	for _, b := range buyers {
		wg.Go(func() {
			for range attemptsPerBuyer {
				before := [3]int{b.tried, b.won, b.refused}
				b.try(ctx, s)
				tried.Add(int64(b.tried - before[0]))
				won.Add(int64(b.won - before[1]))
				refused.Add(int64(b.refused - before[2]))
			}
		})
	}
	wg.Wait()
}

// try tries to hold seats once and, if it gets them, decides what to do with
// them.
func (b *buyer) try(ctx context.Context, s *sale) {
	key, selection := uuid.NewString(), b.selection(s)
	b.tried++
	booking, err := withRetry(ctx, func() (client.Booking, error) { return b.client.Hold(ctx, selection, key) })
	switch p := client.AsProblem(err); {
	case err == nil:
		b.won++
		b.decide(ctx, booking)
	case p != nil && p.Status == 409:
		b.refused++
	default:
		b.fail(err)
	}
}

// selection mostly requests neighbouring seats in the first rows, which every buyer
// wants.
func (b *buyer) selection(s *sale) client.NewBooking {
	n := client.NewBooking{EventID: s.event.ID}
	switch roll := b.dice.IntN(10); {
	case roll < 6:
		count := 1 + b.dice.IntN(4)
		first := b.dice.IntN(len(s.hot) - count)
		n.SeatIDs = s.hot[first : first+count]
	case roll < 8:
		n.TicketTypeID, n.Quantity = "standard", 1+b.dice.IntN(4)
	default:
		n.TicketTypeID, n.Quantity = "floor", 1+b.dice.IntN(3)
	}
	return n
}

// decide pays, cancels, or abandons the hold.
func (b *buyer) decide(ctx context.Context, booking client.Booking) {
	switch roll := b.dice.IntN(20); {
	case roll < 2: // abandoned: it expires
	case roll < 4:
		b.cancel(ctx, booking.ID)
	case roll < 6:
		b.pay(ctx, booking.ID, []string{"pm_declined", "pm_insufficient_funds"}[roll%2])
	case roll < 7: // declined, then another card
		if id := b.pay(ctx, booking.ID, "pm_declined"); id != "" {
			b.awaitDecline(ctx, id)
			b.pay(ctx, booking.ID, "pm_ok")
		}
	case roll < 9:
		b.pay(ctx, booking.ID, "pm_ok")
		b.cancel(ctx, booking.ID) // before or after the capture: the money is refunded
	default:
		b.pay(ctx, booking.ID, []string{"pm_ok", "pm_slow", "pm_unknown", "pm_duplicate_webhook"}[b.dice.IntN(4)])
	}
}

// pay returns the payment's id, or "" if the booking could no longer be paid.
func (b *buyer) pay(ctx context.Context, bookingID, method string) string {
	key := uuid.NewString()
	payment, err := withRetry(ctx, func() (client.Payment, error) { return b.client.Pay(ctx, bookingID, method, key) })
	if err == nil {
		b.payments = append(b.payments, payment.ID)
	} else if p := client.AsProblem(err); p == nil || p.Status != 409 {
		b.fail(err)
	}
	return payment.ID
}

func (b *buyer) cancel(ctx context.Context, bookingID string) {
	_, err := withRetry(ctx, func() (client.Booking, error) { return b.client.CancelBooking(ctx, bookingID) })
	if p := client.AsProblem(err); err != nil && (p == nil || p.Status != 409) {
		b.fail(err)
	}
}

func (b *buyer) awaitDecline(ctx context.Context, paymentID string) {
	for range 100 {
		payment, err := b.client.Payment(ctx, paymentID)
		if err == nil && payment.Status == "failed" {
			return
		}
		if !clock.Sleep(ctx, paymentPoll) {
			return
		}
	}
}

func (b *buyer) fail(err error) {
	b.failed++
	if b.failure == nil {
		b.failure = err
	}
}
