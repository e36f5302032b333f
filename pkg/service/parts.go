package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"
)

// stopTimeout limits how long one part may take to stop.
const stopTimeout = 20 * time.Second

type part struct {
	name string
	// run ends when its context does; nil for a resource that is only closed.
	run func(ctx context.Context) error
	// end makes run end, ended is closed when it has.
	end   context.CancelFunc
	ended chan struct{}
	// close may be nil.
	close func(ctx context.Context) error
}

// Go adds a loop that runs until its context ends. If it returns earlier, with
// or without an error, the whole process stops. A part may use those that were
// added before it.
func (p *Process) Go(name string, run func(ctx context.Context) error) {
	p.parts = append(p.parts, &part{name: name, run: run, ended: make(chan struct{})})
}

// Close adds a resource that is already open and must be closed at the end.
func (p *Process) Close(name string, closing func(ctx context.Context) error) {
	p.parts = append(p.parts, &part{name: name, close: closing})
}

// serving returns the part that is an HTTP server on an open listener. On stop
// it finishes the requests in flight.
func serving(name string, ln net.Listener, srv *http.Server) *part {
	p := &part{name: name, ended: make(chan struct{})}
	p.run = func(context.Context) error {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
	p.close = func(ctx context.Context) error {
		if err := srv.Shutdown(ctx); err != nil {
			return srv.Close()
		}
		return nil
	}
	return p
}

// runParts starts the parts, waits until ctx ends or a part fails, and stops
// them in reverse order. It returns the failure, if any.
func (p *Process) runParts(ctx context.Context) error {
	failed := make(chan error, len(p.parts))
	// Parts outlive ctx: each is stopped in turn.
	base := context.WithoutCancel(ctx)
	for _, part := range p.parts {
		part.start(base, failed)
	}
	p.running.Store(true)

	var failure error
	select {
	case <-ctx.Done():
	case failure = <-failed:
		slog.Error("part failed, stopping", "error", failure)
	}
	p.running.Store(false)
	if failure == nil {
		time.Sleep(p.cfg.DrainDelay)
	}
	for _, part := range slices.Backward(p.parts) {
		part.stop(base)
	}
	return failure
}

func (p *part) start(base context.Context, failed chan<- error) {
	if p.run == nil {
		return
	}
	var ctx context.Context
	ctx, p.end = context.WithCancel(base)
	go func() {
		defer close(p.ended)
		err := p.run(ctx)
		if ctx.Err() != nil {
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

func (p *part) stop(base context.Context) {
	ctx, cancel := context.WithTimeout(base, stopTimeout)
	defer cancel()
	if p.end != nil {
		p.end()
	}
	if p.close != nil {
		if err := p.close(ctx); err != nil {
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
