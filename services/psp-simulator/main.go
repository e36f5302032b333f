// Command psp-simulator is a payment provider for tests. "psp-simulator
// migrate" brings its database to this version.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"

	"github.com/caarlos0/env/v11"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/lifecycle"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/services/psp-simulator/internal/simulator"
	"github.com/frontrow-tickets/frontrow/services/psp-simulator/migrations"
)

const name = "psp-simulator"

type config struct {
	observe.Config
	PostgresURL string `env:"POSTGRES_URL,required,notEmpty"`
	APIKey      string `env:"PSP_API_KEY,required,notEmpty"`
	// WebhookURL is where the shop receives webhooks, such as
	// http://host:8080/webhooks/psp.
	WebhookURL    string `env:"PSP_WEBHOOK_URL,required,notEmpty"`
	WebhookSecret string `env:"PSP_WEBHOOK_SECRET,required,notEmpty"`
}

type migrateConfig struct {
	PostgresURL string `env:"POSTGRES_URL,required,notEmpty"`
}

func main() {
	lifecycle.Main(lifecycle.Program{
		Name: name,
		Run: func(ctx context.Context) error {
			cfg, err := env.ParseAs[config]()
			if err != nil {
				return err
			}
			return run(ctx, cfg, func(_, _ net.Addr) {})
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

// migrate brings the database to this version.
func migrate(ctx context.Context, cfg migrateConfig) error {
	if err := ensureDatabase(ctx, cfg.PostgresURL); err != nil {
		return err
	}
	return postgres.Migrate(ctx, cfg.PostgresURL, migrations.Files)
}

// ensureDatabase creates the database at url if it is missing: a Postgres set
// up for an older version has only that version's databases.
func ensureDatabase(ctx context.Context, url string) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("POSTGRES_URL: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err == nil {
		return conn.Close(ctx)
	}
	if !isCode(err, invalidCatalogName) {
		return fmt.Errorf("connect to postgres: %w", err)
	}
	missing := pgx.Identifier{cfg.Database}.Sanitize()
	cfg.Database = "postgres"
	if conn, err = pgx.ConnectConfig(ctx, cfg); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	// Another migrator may have created it first.
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+missing); err != nil && !isCode(err, duplicateDatabase, uniqueViolation) {
		return fmt.Errorf("create database: %w", err)
	}
	return nil
}

// Postgres error codes.
const (
	invalidCatalogName = "3D000" // the database does not exist
	duplicateDatabase  = "42P04"
	uniqueViolation    = "23505" // a duplicate is being created concurrently
)

func isCode(err error, codes ...string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && slices.Contains(codes, pg.Code)
}

// run serves until ctx ends. It calls listening with the public and the admin
// address.
func run(ctx context.Context, cfg config, listening func(public, admin net.Addr)) error {
	cfg.Config = cfg.WithDefaults(name)
	flush, err := observe.Setup(ctx, name, cfg.Config)
	if err != nil {
		return err
	}
	group := &lifecycle.Group{DrainDelay: cfg.DrainDelay}
	group.Close("traces", flush)
	pool, err := postgres.Connect(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	group.Close("postgres", func(context.Context) error { pool.Close(); return nil })
	provider := simulator.New(pool, simulator.Config{APIKey: cfg.APIKey, WebhookURL: cfg.WebhookURL, WebhookSecret: cfg.WebhookSecret})
	public, err := net.Listen("tcp", cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("HTTP_ADDR: %w", err)
	}
	admin, err := net.Listen("tcp", cfg.AdminAddr)
	if err != nil {
		return fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	group.Serve("admin", admin, httpapi.NewServer(observe.AdminHandler(group.Ready)))
	group.Serve("http", public, httpapi.NewServer(provider))
	group.Go("webhooks", provider.Run)
	slog.InfoContext(ctx, "listening", "http", public.Addr().String(), "admin", admin.Addr().String())
	listening(public.Addr(), admin.Addr())
	return group.Run(ctx)
}
