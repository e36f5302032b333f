package main

import (
	"context"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/httpapi"
	accounts "github.com/frontrow-tickets/frontrow/services/auth-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/redis"
)

// run serves until ctx ends.
func run(ctx context.Context, cfg config) error {
	process, err := service.New(ctx, name, &cfg.Config)
	if err != nil {
		return err
	}
	verifier, err := identity.NewVerifier(name, cfg.IdentityKeys)
	if err != nil {
		return err
	}
	pool, err := postgres.Connect(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	process.Close("postgres", func(context.Context) error { pool.Close(); return nil })
	rdb, err := redisclient.New(cfg.RedisURL)
	if err != nil {
		return err
	}
	process.Close("redis", func(context.Context) error { return rdb.Close() })
	process.Go("purge", func(ctx context.Context) error { return postgres.PurgeLoop(ctx, pool) })
	svc := &auth.Service{
		Accounts: accounts.Accounts{Pool: pool},
		Sessions: redis.Sessions{Store: session.NewStore(rdb, cfg.SessionIdle), Absolute: cfg.SessionAbsolute},
		Attempts: redis.NewAttempts(rdb), Hasher: auth.NewHasher(), Now: time.Now,
	}
	return process.Run(ctx, httpapi.New(svc, verifier))
}
