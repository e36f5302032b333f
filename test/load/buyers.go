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
	// as auth-service makes them.
	sessionIdle, sessionAbsolute = 2 * time.Hour, 24 * time.Hour
	// atOnce log-ins are written at a time.
	atOnce = 32
)

// logIn writes the sessions of n customers straight into the store of sessions
// and returns their ids. Through the API each would cost a password's hash,
// made slow on purpose: an hour for all of them.
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
			}
			// The client gives up early, for the services' sake; here there is time.
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
