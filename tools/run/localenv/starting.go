package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

const (
	// startTimeout is how long a process may take to become ready, on a busy machine with cold caches.
	startTimeout = 3 * time.Minute
	// startAttempts is how often a process may exit while it starts: once can be bad luck.
	startAttempts = 2
	// launchGrace is how long the supervisor may take until a requested start shows in a process's state.
	launchGrace = 3 * time.Second
)

// startInWaves starts the processes of each wave together, once those of the previous wave are ready.
func (s *system) startInWaves(ctx context.Context, processes []process, detail string) error {
	for wave, left := 0, len(processes); left > 0; wave++ {
		together := slices.DeleteFunc(slices.Clone(processes), func(p process) bool { return p.wave != wave })
		if err := s.startTogether(ctx, together, detail); err != nil {
			return err
		}
		left -= len(together)
	}
	return nil
}

// startTogether starts processes at once and reports them in order as they become ready.
func (s *system) startTogether(ctx context.Context, processes []process, detail string) error {
	began := time.Now()
	states, err := s.supervisor().states(ctx)
	if err != nil {
		return err
	}
	for _, p := range processes {
		if err := s.startUnlessRunning(ctx, p, states[p.name]); err != nil {
			return err
		}
	}
	for _, p := range processes {
		if err := s.await(ctx, p, states[p.name], began); err != nil {
			return err
		}
		s.out.done(p.name, time.Since(began), strings.TrimSpace(detail+" "+p.address()))
	}
	return nil
}

func (p process) address() string {
	if len(p.ports) == 0 {
		return ""
	}
	return "on " + p.at(p.ports[0])
}

// listens reports whether the process's port is open: Cassandra announces it slightly too early.
func (p process) listens(ctx context.Context) bool {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", p.at(p.ports[0]))
	if err != nil {
		return false
	}
	return connection.Close() == nil
}

func (s *system) startAndAwait(ctx context.Context, p process) error {
	began := time.Now()
	states, err := s.supervisor().states(ctx)
	if err != nil {
		return err
	}
	if err := s.startUnlessRunning(ctx, p, states[p.name]); err != nil {
		return err
	}
	return s.await(ctx, p, states[p.name], began)
}

func (s *system) restartOne(ctx context.Context, p process) error {
	if err := s.supervisor().stop(ctx, p.name); err != nil {
		return err
	}
	return s.startAndAwait(ctx, p)
}

// startUnlessRunning retries briefly: the supervisor may still be cleaning up the process's last run.
func (s *system) startUnlessRunning(ctx context.Context, p process, before state) error {
	if !before.ended() {
		return nil
	}
	for deadline := time.Now().Add(launchGrace); ; {
		err := s.supervisor().start(ctx, p.name)
		if err == nil || time.Now().After(deadline) || !strings.Contains(err.Error(), "already running") {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// await returns when p is ready, or done if it is a oneShot. before is its state before it was started, at
// began.
func (s *system) await(ctx context.Context, p process, before state, began time.Time) error {
	for {
		states, err := s.supervisor().states(ctx)
		if err != nil {
			return fmt.Errorf("process-compose stopped answering: %w", err)
		}
		now := states[p.name]
		// Until the supervisor has launched it, the state is that of the previous run.
		launched := now.Pid != before.Pid || !before.ended() || time.Since(began) > launchGrace
		switch {
		case !launched:
		case p.oneShot && now.Status == "Completed" && now.ExitCode == 0, now.ready() && p.listens(ctx):
			return nil
		case now.ended():
			return s.failure(p.name, fmt.Sprintf("%s failed with exit status %d", p.name, now.ExitCode))
		case now.Restarts-before.Restarts >= startAttempts:
			return s.failure(p.name, fmt.Sprintf("%s ended %d times while it was starting, the last time with exit status %d",
				p.name, startAttempts, now.ExitCode))
		case time.Since(began) > startTimeout:
			return s.failure(p.name, fmt.Sprintf("%s was not ready after %.0f seconds", p.name, startTimeout.Seconds()))
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}
