// Package lifecycle starts the parts of a process in dependency order, reports
// when it is ready, and stops the parts in reverse order.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// stopTimeout limits how long one part may take to stop.
const stopTimeout = 20 * time.Second

type part struct {
	name string
	// run is a loop that ends when its context does; nil for a closer.
	run   func(ctx context.Context) error
	stop  func(ctx context.Context) error
	ended chan struct{}
	quit  context.CancelFunc
}

// Group holds the parts of one process in the order they were added. A part may
// use those added before it.
type Group struct {
	// DrainDelay is how long the process keeps serving after it becomes not
	// ready, so that load balancers notice.
	DrainDelay time.Duration

	parts []*part
	ready atomic.Bool
}

// Go adds a loop that runs until its context ends. If it returns earlier, with
// or without an error, the whole process stops.
func (g *Group) Go(name string, run func(ctx context.Context) error) {
	g.parts = append(g.parts, &part{name: name, run: run, ended: make(chan struct{})})
}

// Close adds a resource that is already open and must be closed at the end.
func (g *Group) Close(name string, stop func(ctx context.Context) error) {
	g.parts = append(g.parts, &part{name: name, stop: stop})
}

// Serve adds an HTTP server on a listener that is already open. On stop it
// finishes the requests in flight.
func (g *Group) Serve(name string, ln net.Listener, srv *http.Server) {
	p := &part{name: name, ended: make(chan struct{})}
	p.run = func(context.Context) error {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
	p.stop = func(ctx context.Context) error {
		if err := srv.Shutdown(ctx); err != nil {
			return srv.Close()
		}
		return nil
	}
	g.parts = append(g.parts, p)
}

// Ready reports whether all parts have started and none is stopping.
func (g *Group) Ready() bool { return g.ready.Load() }

// Run starts the parts, waits until ctx ends or a part fails, and stops them in
// reverse order. It returns the failure, if any.
func (g *Group) Run(ctx context.Context) error {
	failed := make(chan error, len(g.parts))
	// Parts outlive ctx: each is stopped in turn.
	base := context.WithoutCancel(ctx)
	for _, p := range g.parts {
		if p.run == nil {
			continue
		}
		var partCtx context.Context
		partCtx, p.quit = context.WithCancel(base)
		go func() {
			defer close(p.ended)
			err := p.run(partCtx)
			if partCtx.Err() != nil {
				if err != nil && !errors.Is(err, context.Canceled) {
					slog.Warn("part failed while stopping", "part", p.name, "error", err)
				}
				return
			}
			if err == nil {
				err = errors.New("ended unexpectedly")
			}
			failed <- fmt.Errorf("%s: %w", p.name, err)
		}()
	}
	g.ready.Store(true)

	var failure error
	select {
	case <-ctx.Done():
	case failure = <-failed:
		slog.Error("part failed, stopping", "error", failure)
	}
	g.ready.Store(false)
	if failure == nil && g.DrainDelay > 0 {
		time.Sleep(g.DrainDelay)
	}
	for i := len(g.parts) - 1; i >= 0; i-- {
		g.stop(base, g.parts[i])
	}
	return failure
}

func (g *Group) stop(base context.Context, p *part) {
	ctx, cancel := context.WithTimeout(base, stopTimeout)
	defer cancel()
	if p.quit != nil {
		p.quit()
	}
	if p.stop != nil {
		if err := p.stop(ctx); err != nil {
			slog.Warn("stop part failed", "part", p.name, "error", err)
		}
	}
	if p.ended == nil {
		return
	}
	select {
	case <-p.ended:
	case <-ctx.Done():
		slog.Warn("part did not stop in time", "part", p.name)
	}
}
