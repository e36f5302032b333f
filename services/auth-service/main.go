// Auth-service manages accounts and roles, and logs users in and out.
package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/lifecycle"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
	authapi "github.com/frontrow-tickets/frontrow/services/auth-service/internal/httpapi"
	accounts "github.com/frontrow-tickets/frontrow/services/auth-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/redis"
	"github.com/frontrow-tickets/frontrow/services/auth-service/migrations"
)

const name = "auth-service"

type config struct {
	observe.Config
	IdentityKeys    string        `env:"IDENTITY_KEYS,required"`
	PostgresURL     string        `env:"POSTGRES_URL,required"`
	RedisURL        string        `env:"REDIS_URL,required"`
	SessionIdle     time.Duration `env:"SESSION_IDLE" envDefault:"2h"`
	SessionAbsolute time.Duration `env:"SESSION_ABSOLUTE" envDefault:"24h"`
}

type migrateConfig struct {
	PostgresURL   string `env:"POSTGRES_URL,required"`
	AdminEmail    string `env:"ADMIN_EMAIL"`
	AdminPassword string `env:"ADMIN_PASSWORD"`
}

func main() {
	lifecycle.Main(lifecycle.Program{
		Name: name,
		Run: func(ctx context.Context) error {
			cfg, err := env.ParseAs[config]()
			if err != nil {
				return err
			}
			return run(ctx, cfg, func(net.Addr) {})
		},
		Migrate: func(ctx context.Context) error {
			cfg, err := env.ParseAs[migrateConfig]()
			if err != nil {
				return err
			}
			return migrate(ctx, cfg)
		},
	})
}

// migrate brings the database to this version and creates the first admin.
func migrate(ctx context.Context, cfg migrateConfig) error {
	if err := postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files, postgres.Idempotency); err != nil {
		return err
	}
	if cfg.AdminEmail == "" {
		return nil
	}
	pool, err := postgres.Connect(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	svc := &auth.Service{Accounts: accounts.Accounts{Pool: pool}, Hasher: auth.NewHasher(), Now: time.Now}
	return svc.EnsureAdmin(ctx, cfg.AdminEmail, cfg.AdminPassword)
}

// run serves until ctx ends. It calls listening with the public address.
func run(ctx context.Context, cfg config, listening func(public net.Addr)) error {
	cfg.Config = cfg.WithDefaults(name)
	flush, err := observe.Setup(ctx, name, cfg.Config)
	if err != nil {
		return err
	}
	group := &lifecycle.Group{DrainDelay: cfg.DrainDelay}
	group.Close("traces", flush)
	verifier, err := identity.NewVerifier(name, cfg.IdentityKeys)
	if err != nil {
		return err
	}
	pool, err := postgres.Connect(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	group.Close("postgres", func(context.Context) error { pool.Close(); return nil })
	rdb, err := redisclient.New(cfg.RedisURL)
	if err != nil {
		return err
	}
	group.Close("redis", func(context.Context) error { return rdb.Close() })
	group.Go("purge", func(ctx context.Context) error { return postgres.PurgeLoop(ctx, pool) })

	svc := &auth.Service{
		Accounts: accounts.Accounts{Pool: pool},
		Sessions: redis.Sessions{Store: session.NewStore(rdb, cfg.SessionIdle), Absolute: cfg.SessionAbsolute},
		Attempts: redis.NewAttempts(rdb), Hasher: auth.NewHasher(), Now: time.Now,
	}
	public, err := net.Listen("tcp", cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("HTTP_ADDR: %w", err)
	}
	admin, err := net.Listen("tcp", cfg.AdminAddr)
	if err != nil {
		return fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	group.Serve("admin", admin, httpapi.NewServer(observe.AdminHandler(group.Ready)))
	group.Serve("http", public, httpapi.NewServer(authapi.New(svc, verifier)))
	registration, err := consul.NewRegistration(cfg.ConsulAddr, consul.Service{
		Name: name, ID: cfg.InstanceID, Address: cfg.AdvertiseAddr, AdminAddress: cfg.AdminAddr,
	})
	if err != nil {
		return err
	}
	group.Go("registration", registration.Run)
	listening(public.Addr())
	return group.Run(ctx)
}
