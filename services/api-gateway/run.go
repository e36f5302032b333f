package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/edge"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/limit"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/redis"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
	"github.com/frontrow-tickets/frontrow/web"
)

// wrap is set only in builds for the load test. It adds what the test needs to the handler of requests.
var wrap func(http.Handler) http.Handler

// run serves until ctx ends.
func run(ctx context.Context, cfg config) error {
	if cfg.Routing != "hash" && cfg.Routing != "spread" {
		return fmt.Errorf("ROUTING %q is neither hash nor spread", cfg.Routing)
	}
	process, err := service.New(ctx, cfg.servicePrefix+name, &cfg.Config)
	if err != nil {
		return err
	}
	signers, err := cfg.IdentityKeys.signers()
	if err != nil {
		return err
	}
	admissions, err := identity.NewVerifier(identity.AdmissionAudience, cfg.IdentityKeys.Booking)
	if err != nil {
		return fmt.Errorf("keys for admissions: %w", err)
	}
	rdb, err := redisclient.New(cfg.RedisURL)
	if err != nil {
		return err
	}
	process.Close("redis", func(context.Context) error { return rdb.Close() })
	pools, resolver, err := discover(cfg)
	if err != nil {
		return err
	}
	process.Go("discovery", resolver.Run)
	// A gateway without any discovered instance could only refuse: it must not
	// replace one that has them, in a deploy while Consul is down.
	process.Ready = resolver.Answered
	forwarder := upstream.NewForwarder(pools, cfg.Routing == "spread")
	process.Close("connections", func(context.Context) error { forwarder.Close(); return nil })
	bySession, byAddress := limit.New(cfg.RateLimitSession), limit.New(cfg.RateLimitAddress)
	process.Go("limits by session", bySession.Run)
	process.Go("limits by address", byAddress.Run)
	sessions := redis.NewSessions(session.NewStore(rdb, cfg.SessionIdle))
	process.Go("changes of sessions", sessions.Run)
	front, err := edge.New(edge.Config{
		Forwarder: forwarder, Sessions: sessions, SessionRecent: cfg.SessionRecent, Signers: signers,
		Admissions: admissions, BySession: bySession, ByAddress: byAddress, CORSOrigins: cfg.CORSOrigins, TrustedProxies: cfg.TrustedProxies,
		TurnstileScript: cfg.TurnstileScript, App: web.App(),
	})
	if err != nil {
		return err
	}
	process.Server.RegisterOnShutdown(front.EndStreams)
	if wrap != nil {
		return process.Run(ctx, wrap(front))
	}
	return process.Run(ctx, front)
}
