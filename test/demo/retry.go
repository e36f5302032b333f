package main

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
)

const (
	paymentPoll = 100 * time.Millisecond
	// retryTimeout is how long a client retries a request that is answered with
	// "try again".
	retryTimeout = 30 * time.Second
)

// withRetry repeats a call while the response is 429, 503 or 504, after the
// requested delay.
func withRetry[T any](ctx context.Context, call func() (T, error)) (T, error) {
	deadline := time.Now().Add(retryTimeout)
	for {
		out, err := call()
		p := client.AsProblem(err)
		if p == nil || (p.Status != 429 && p.Status != 503 && p.Status != 504) || time.Now().After(deadline) {
			return out, err
		}
		if !clock.Sleep(ctx, max(p.RetryAfter, 200*time.Millisecond)) {
			return out, ctx.Err()
		}
	}
}
