// Package service starts and stops a Frontrow service. All services start the
// same way: New sets up logs and traces, the service adds its parts, and Run
// serves until the process is told to stop.
//
// To stop, the service becomes not ready, keeps serving for DrainDelay,
// deregisters, finishes the requests in flight, and then stops its parts in
// reverse order: a consumer commits its offsets before the producer is flushed,
// and stores close last. The admin listener serves until then.
package service

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
)

// Process is one process of a service.
type Process struct {
	// Server is the public HTTP server. Run sets its handler.
	Server *http.Server
	// Admin has the routes of the admin listener: metrics, health and, if enabled,
	// profiles. Services may add routes.
	Admin *http.ServeMux
	// Ready, if set, is a further condition for /readyz.
	Ready func() bool

	name string
	cfg  Config
	// parts are in the order in which they were added.
	parts   []*part
	running atomic.Bool
}

// New sets up the process's logs and traces. It sets the empty fields of cfg to
// their defaults.
func New(ctx context.Context, name string, cfg *Config) (*Process, error) {
	cfg.setDefaults(name)
	flush, err := observe.Setup(ctx, name, cfg.InstanceID, cfg.LogLevel)
	if err != nil {
		return nil, err
	}
	p := &Process{name: name, cfg: *cfg, Server: httpapi.NewServer(nil)}
	p.Admin = observe.AdminHandler(p.ready, cfg.PPROF)
	p.Close("traces", flush)
	return p, nil
}

// ready reports whether all parts have started and none is stopping.
func (p *Process) ready() bool { return p.running.Load() && (p.Ready == nil || p.Ready()) }

// Run opens the listeners, registers the service, and serves public requests
// with handler until ctx ends or a part fails. It returns the failure, if any.
func (p *Process) Run(ctx context.Context, handler http.Handler) error {
	registration, err := consul.NewRegistration(p.cfg.ConsulAddr, consul.Service{
		Name: p.name, ID: p.cfg.InstanceID, Address: p.cfg.AdvertiseAddr, AdminAddress: p.cfg.AdminAddr,
	})
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	public, err := listen.Listen(ctx, "tcp", p.cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("HTTP_ADDR: %w", err)
	}
	defer public.Close()
	admin, err := listen.Listen(ctx, "tcp", p.cfg.AdminAddr)
	if err != nil {
		return fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	p.Server.Handler = handler
	// The admin listener stops last, except that traces are flushed after it.
	p.parts = slices.Insert(p.parts, 1, serving("admin", admin, httpapi.NewServer(p.Admin)))
	p.parts = append(p.parts, serving("http", public, p.Server))
	p.Go("registration", registration.Run)
	slog.InfoContext(ctx, "listening", "http", public.Addr().String(), "admin", admin.Addr().String())
	if p.cfg.Listening != nil {
		p.cfg.Listening(public.Addr(), admin.Addr())
	}
	return p.runParts(ctx)
}
