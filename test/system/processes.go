package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Processes is a client of the supervisor (process-compose) at its Unix socket.
type Processes struct{ http *http.Client }

// State is the state of one process.
type State struct {
	Name    string `json:"name"`
	Status  string `json:"status"`
	Health  string `json:"is_ready"`
	PID     int    `json:"pid"`
	Running bool   `json:"is_running"`
}

// Ready reports whether the process is running and ready.
func (s State) Ready() bool { return s.Running && s.Health == "Ready" }

// OpenProcesses reads FRONTROW_PROCESS_COMPOSE, the supervisor's socket.
func OpenProcesses() (*Processes, error) {
	socket := os.Getenv("FRONTROW_PROCESS_COMPOSE")
	if socket == "" {
		return nil, errors.New("FRONTROW_PROCESS_COMPOSE is not set: run this with `make test`")
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Processes{&http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: time.Minute}}, nil
}

// States returns the long-running processes by name; it omits migrations.
func (p *Processes) States(ctx context.Context) (map[string]State, error) {
	var answer struct {
		Data []State `json:"data"`
	}
	if err := p.call(ctx, http.MethodGet, "/processes", &answer); err != nil {
		return nil, err
	}
	states := map[string]State{}
	for _, s := range answer.Data {
		if !strings.HasSuffix(s.Name, "-migrate") {
			states[s.Name] = s
		}
	}
	return states, nil
}

// Stop stops a process as an operator would, and returns when it has exited.
func (p *Processes) Stop(ctx context.Context, name string) error {
	if err := p.call(ctx, http.MethodPatch, "/process/stop/"+name, nil); err != nil {
		return err
	}
	return p.await(ctx, name, "stop", func(s State) bool { return !s.Running && s.Status != "Terminating" })
}

// Start starts a stopped process; AwaitReady waits for it.
func (p *Processes) Start(ctx context.Context, name string) error {
	states, err := p.States(ctx)
	if err != nil || states[name].Running {
		return err
	}
	return p.call(ctx, http.MethodPost, "/process/start/"+name, nil)
}

// Kill kills a process with SIGKILL; the supervisor starts it again. Kill
// returns when the process is gone.
func (p *Processes) Kill(ctx context.Context, name string) error {
	states, err := p.States(ctx)
	if err != nil {
		return err
	}
	pid := states[name].PID
	if !states[name].Running || pid <= 1 {
		return fmt.Errorf("kill %s: not running", name)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	return p.await(ctx, name, "die", func(s State) bool { return s.PID != pid || !s.Running })
}

// AwaitReady returns when a process is ready.
func (p *Processes) AwaitReady(ctx context.Context, name string) error {
	return p.await(ctx, name, "become ready", State.Ready)
}

// AwaitAllReady returns when all of the processes are ready at once.
func (p *Processes) AwaitAllReady(ctx context.Context, names []string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		states, err := p.States(ctx)
		if err != nil {
			return err
		}
		waiting := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return states[name].Ready() })
		if len(waiting) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to become ready: %w", strings.Join(waiting, ", "), ctx.Err())
		}
	}
}

func (p *Processes) await(ctx context.Context, name, what string, condition func(State) bool) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		states, err := p.States(ctx)
		if err != nil {
			return err
		}
		state, known := states[name]
		if !known {
			return fmt.Errorf("supervisor has no process %s", name)
		}
		if condition(state) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to %s (it is %s, %s): %w", name, what, state.Status, state.Health, ctx.Err())
		}
	}
}

func (p *Processes) call(ctx context.Context, method, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, nil)
	if err != nil {
		return err
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("supervisor: %s %s: %s", method, path, resp.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
