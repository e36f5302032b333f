package main

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
)

// settle polls until every booking and every payment has ended.
func settle(ctx context.Context, buyers []*buyer, out *progress) error {
	waiting := len(buyers)
	var mu sync.Mutex
	stop := out.watch(func() string {
		mu.Lock()
		defer mu.Unlock()
		return fmt.Sprintf("waiting for holds, payments and refunds to end: %d buyers have something open", waiting)
	})
	defer stop()
	deadline := time.Now().Add(settleTimeout)
	open := buyers
	for len(open) > 0 {
		var err error
		if open, err = unsettled(ctx, open); err != nil {
			return err
		}
		mu.Lock()
		waiting = len(open)
		mu.Unlock()
		if len(open) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s %d buyers have bookings or payments that have not ended, such as %s", settleTimeout, len(open), open[0].describe())
		}
		if !clock.Sleep(ctx, time.Second) {
			return ctx.Err()
		}
	}
	return nil
}

// unsettled reads the state of all bookings and payments, and returns the
// buyers that are not settled.
func unsettled(ctx context.Context, buyers []*buyer) ([]*buyer, error) {
	errs, settled := make([]error, len(buyers)), make([]bool, len(buyers))
	slots := make(chan struct{}, 16)
	var wg sync.WaitGroup
	for i, b := range buyers {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = b.read(ctx)
			settled[i] = b.settled()
		})
	}
	wg.Wait()
	var open []*buyer
	for i, b := range buyers {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if !settled[i] {
			open = append(open, b)
		}
	}
	return open, nil
}

func (b *buyer) read(ctx context.Context) error {
	page, err := withRetry(ctx, func() (client.BookingPage, error) {
		return b.client.Bookings(ctx, url.Values{"limit": {"100"}})
	})
	if err != nil {
		return err
	}
	b.bookings, b.paid = page.Items, nil
	for _, id := range b.payments {
		payment, err := withRetry(ctx, func() (client.Payment, error) { return b.client.Payment(ctx, id) })
		if err != nil {
			return err
		}
		b.paid = append(b.paid, payment)
	}
	return nil
}

func (b *buyer) settled() bool {
	status := map[string]string{}
	for _, booking := range b.bookings {
		status[booking.ID] = booking.Status
		if booking.Status == "held" {
			return false
		}
	}
	for _, p := range b.paid {
		kept := p.Status == "succeeded" && status[p.BookingID] == "confirmed"
		if !kept && p.Status != "failed" && p.Status != "refunded" {
			return false
		}
	}
	return true
}

func (b *buyer) describe() string {
	for _, booking := range b.bookings {
		if booking.Status == "held" {
			return fmt.Sprintf("booking %s, held until %s", booking.ID, booking.ExpiresAt.Format(time.TimeOnly))
		}
	}
	for _, p := range b.paid {
		if p.Status != "failed" && p.Status != "refunded" {
			return fmt.Sprintf("payment %s of booking %s, %s", p.ID, p.BookingID, p.Status)
		}
	}
	return "nothing that can be seen"
}
