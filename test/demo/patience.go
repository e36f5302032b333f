package main

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
)

const (
	paymentPoll = 100 * time.Millisecond
	// retryTimeout is how long a client retries a request that is answered with
	// "try again".
	retryTimeout = 30 * time.Second
)

// patiently repeats a call while the response is 429, 503 or 504, after the
// requested delay.
func patiently[T any](ctx context.Context, call func() (T, error)) (T, error) {
	deadline := time.Now().Add(retryTimeout)
	for {
		out, err := call()
		p := client.AsProblem(err)
		if p == nil || (p.Status != 429 && p.Status != 503 && p.Status != 504) || time.Now().After(deadline) {
			return out, err
		}
		if err := pause(ctx, max(p.RetryAfter, 200*time.Millisecond)); err != nil {
			return out, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
