package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/session"
)

const (
	// Lifetimes of sessions, as in auth-service.
	sessionIdle, sessionAbsolute = 2 * time.Hour, 24 * time.Hour
	// atOnce is how many log-ins are written concurrently.
	atOnce = 32
)

// logIn writes the sessions of n customers directly into the session store and
// returns their ids. Through the API each would cost a password hash, which is
// slow by design: an hour for all of them.
func logIn(ctx context.Context, redisURL string, n int) ([]string, error) {
	rdb, err := redisclient.New(redisURL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rdb.Close() }()
	store := session.NewStore(rdb, sessionIdle)
	ids := make([]string, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range ids {
		group.Go(func() error {
			buyer := session.Session{
				UserID: uuid.Must(uuid.NewV7()).String(), Email: fmt.Sprintf("buyer-%d@frontrow.example", i), Role: "customer",
				Verified: true,
			}
			// The client fails fast for the sake of the services; here there is
			// time to retry.
			var err error
			for range 10 {
				if ids[i], _, err = store.Create(ctx, buyer, sessionAbsolute); err == nil || ctx.Err() != nil {
					break
				}
			}
			return err
		})
	}
	return ids, group.Wait()
}
