package main

import (
	"context"

	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/psp-simulator/internal/simulator"
)

// run serves until ctx ends.
func run(ctx context.Context, cfg config) error {
	process, err := service.New(ctx, name, &cfg.Config)
	if err != nil {
		return err
	}
	pool, err := postgres.Connect(ctx, cfg.PostgresURL)
	if err != nil {
		return err
	}
	process.Close("postgres", func(context.Context) error { pool.Close(); return nil })
	provider := simulator.New(pool, simulator.Config{
		APIKey: cfg.APIKey, WebhookURL: cfg.WebhookURL, WebhookSecret: cfg.WebhookSecret,
	})
	process.Go("webhooks", provider.Run)
	return process.Run(ctx, provider)
}
