// Api-gateway is Frontrow's only public entry point: it checks requests and
// forwards them to the services.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/lifecycle"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/edge"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/limit"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/redis"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
	"github.com/frontrow-tickets/frontrow/web"
)

const name = "api-gateway"

// identityKeys are the keys shared with each service.
type identityKeys struct {
	Auth    string `env:"AUTH,required"`
	Event   string `env:"EVENT,required"`
	Booking string `env:"BOOKING,required"`
	Payment string `env:"PAYMENT,required"`
}

// signers returns the identity signers for each service.
func (k identityKeys) signers() (map[string]*identity.Signer, error) {
	signers := map[string]*identity.Signer{}
	for service, keys := range map[string]string{route.Auth: k.Auth, route.Event: k.Event, route.Booking: k.Booking, route.Payment: k.Payment} {
		var err error
		if signers[service], err = identity.NewSigner(service, keys); err != nil {
			return nil, fmt.Errorf("keys for %s: %w", service, err)
		}
	}
	return signers, nil
}

type config struct {
	observe.Config
	IdentityKeys     identityKeys  `envPrefix:"IDENTITY_KEYS_"`
	RedisURL         string        `env:"REDIS_URL,required"`
	Routing          string        `env:"ROUTING" envDefault:"hash"`
	CORSOrigins      []string      `env:"CORS_ORIGINS"`
	RateLimitSession float64       `env:"RATE_LIMIT_SESSION" envDefault:"50"`
	RateLimitAddress float64       `env:"RATE_LIMIT_ADDRESS" envDefault:"200"`
	SessionIdle      time.Duration `env:"SESSION_IDLE" envDefault:"2h"`
	// TrustedProxies are the networks of proxies in front of the gateway, such
	// as 10.0.0.0/8, whose X-Forwarded-For and X-Forwarded-Proto are trusted.
	TrustedProxies []netip.Prefix `env:"TRUSTED_PROXIES"`

	// servicePrefix separates the services of tests that share a Consul.
	servicePrefix string
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
	})
}

// run serves until ctx ends. It calls listening with the public and the admin
// address.
func run(ctx context.Context, cfg config, listening func(public, admin net.Addr)) error {
	cfg.Config = cfg.WithDefaults(name)
	if cfg.ConsulAddr == "" && len(cfg.DiscoveryDNS) == 0 {
		return errors.New("CONSUL_ADDR or DISCOVERY_DNS must be set")
	}
	if cfg.Routing != "hash" && cfg.Routing != "spread" {
		return fmt.Errorf("ROUTING %q is neither hash nor spread", cfg.Routing)
	}
	flush, err := observe.Setup(ctx, name, cfg.Config)
	if err != nil {
		return err
	}
	signers, err := cfg.IdentityKeys.signers()
	if err != nil {
		return err
	}
	group := &lifecycle.Group{DrainDelay: cfg.DrainDelay}
	group.Close("traces", flush)
	rdb, err := redisclient.New(cfg.RedisURL)
	if err != nil {
		return err
	}
	group.Close("redis", func(context.Context) error { return rdb.Close() })

	pools, resolver, err := discover(cfg)
	if err != nil {
		return err
	}
	group.Go("discovery", resolver.Run)
	forwarder := upstream.NewForwarder(pools, cfg.Routing == "spread")
	group.Close("connections", func(context.Context) error { forwarder.Close(); return nil })
	bySession, byAddress := limit.New(cfg.RateLimitSession), limit.New(cfg.RateLimitAddress)
	group.Go("limits by session", bySession.Run)
	group.Go("limits by address", byAddress.Run)
	sessions := redis.NewSessions(session.NewStore(rdb, cfg.SessionIdle))
	group.Go("changes of sessions", sessions.Run)
	front, err := edge.New(edge.Config{
		Forwarder: forwarder, Sessions: sessions, Signers: signers,
		BySession: bySession, ByAddress: byAddress, CORSOrigins: cfg.CORSOrigins, TrustedProxies: cfg.TrustedProxies,
		App: web.App(),
	})
	if err != nil {
		return err
	}

	public, err := net.Listen("tcp", cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("HTTP_ADDR: %w", err)
	}
	admin, err := net.Listen("tcp", cfg.AdminAddr)
	if err != nil {
		return fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	// A gateway without any discovered instance could only refuse: it must not
	// replace one that has them, in a deploy while Consul is down.
	ready := func() bool { return group.Ready() && resolver.Answered() }
	group.Serve("admin", admin, httpapi.NewServer(observe.AdminHandler(ready)))
	server := httpapi.NewServer(front)
	server.RegisterOnShutdown(front.EndStreams)
	group.Serve("http", public, server)
	registration, err := consul.NewRegistration(cfg.ConsulAddr, consul.Service{
		Name: cfg.servicePrefix + name, ID: cfg.servicePrefix + cfg.InstanceID, Address: cfg.AdvertiseAddr, AdminAddress: cfg.AdminAddr,
	})
	if err != nil {
		return err
	}
	group.Go("registration", registration.Run)
	listening(public.Addr(), admin.Addr())
	return group.Run(ctx)
}

// discover returns a pool for each service, updated by the resolver.
func discover(cfg config) (map[string]*upstream.Pool, *consul.Resolver, error) {
	pools := map[string]*upstream.Pool{}
	byName := map[string]*upstream.Pool{}
	var names []string
	for _, service := range route.Services {
		p := upstream.NewPool()
		pools[service], byName[cfg.servicePrefix+service] = p, p
		names = append(names, cfg.servicePrefix+service)
	}
	resolver, err := newResolver(cfg, names)
	if err != nil {
		return nil, nil, err
	}
	resolver.OnChange(func(service string, instances []consul.Instance) {
		replicas := make([]upstream.Replica, len(instances))
		for i, in := range instances {
			replicas[i] = upstream.Replica{ID: in.ID, Addr: in.Addr}
		}
		byName[service].Set(replicas)
	})
	return pools, resolver, nil
}

func newResolver(cfg config, services []string) (*consul.Resolver, error) {
	for _, service := range services {
		if cfg.ConsulAddr == "" && cfg.DiscoveryDNS[service] == "" {
			return nil, fmt.Errorf("DISCOVERY_DNS has no address of %s", service)
		}
	}
	return consul.Discover(cfg.ConsulAddr, cfg.DiscoveryDNS, services...)
}
