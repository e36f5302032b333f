package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	sigStop     = syscall.SIGSTOP
	sigContinue = syscall.SIGCONT
)

// isService reports whether a process is one of Frontrow's services.
func isService(name string) bool {
	return strings.HasPrefix(name, "api-gateway") || strings.Contains(name, "-service")
}

func (i *Injector) processKinds() []kind {
	each := func() ([]Fault, string) { return eachOf(i.names...), "" }
	return []kind{
		{name: "kill", faults: each, start: i.kill, momentary: true},
		{name: "pause", faults: each, start: i.pause},
		{name: "restart", faults: each, start: i.stop, momentary: true},
		{name: "stop", faults: each, start: i.stop},
		{name: "deploy", faults: func() ([]Fault, string) { return eachOf("all"), "" }, start: i.deploy, momentary: true},
	}
}

// kill kills a process; the supervisor starts it again.
func (i *Injector) kill(ctx context.Context, f Fault) (undo, error) {
	free, err := i.locks.lock(ctx, f.Target)
	if err != nil {
		return nil, err
	}
	ready := func(ctx context.Context) error {
		defer free()
		return i.processes.AwaitReady(ctx, f.Target)
	}
	return ready, i.processes.Kill(ctx, f.Target)
}

// pause suspends a process with all its children.
func (i *Injector) pause(ctx context.Context, f Fault) (undo, error) {
	free, err := i.locks.lock(ctx, f.Target)
	if err != nil {
		return nil, err
	}
	resume := func(ctx context.Context) error {
		defer free()
		return errors.Join(i.signal(ctx, f.Target, sigContinue), i.processes.AwaitReady(ctx, f.Target))
	}
	return resume, i.signal(ctx, f.Target, sigStop)
}

// stop stops a process as an operator would, and starts it again.
func (i *Injector) stop(ctx context.Context, f Fault) (undo, error) {
	free, err := i.locks.lock(ctx, f.Target)
	if err != nil {
		return nil, err
	}
	start := func(ctx context.Context) error {
		defer free()
		return errors.Join(i.start(ctx, f.Target), i.processes.AwaitReady(ctx, f.Target))
	}
	return start, i.processes.Stop(ctx, f.Target)
}

// start retries while the supervisor is still cleaning up the last run.
func (i *Injector) start(ctx context.Context, name string) error {
	return poll(ctx, name+" starts", func(ctx context.Context) (bool, error) {
		if err := i.processes.Start(ctx, name); err != nil {
			return false, err
		}
		states, err := i.processes.States(ctx)
		return states[name].Running, err
	})
}

// deploy restarts every replica of our services one after another, each once
// the previous one is ready: a rolling restart.
func (i *Injector) deploy(ctx context.Context, _ Fault) (undo, error) {
	for _, name := range i.names {
		if !isService(name) {
			continue
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		again, err := i.stop(ctx, Fault{Target: name})
		if again != nil {
			healing, cancel := context.WithTimeout(context.WithoutCancel(ctx), healTimeout)
			err = errors.Join(err, again(healing))
			cancel()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil, nil //nolint:nilnil // nothing to undo
}

func (i *Injector) signal(ctx context.Context, name string, signal syscall.Signal) error {
	states, err := i.processes.States(ctx)
	if err != nil {
		return err
	}
	if !states[name].Running {
		return fmt.Errorf("%s is not running", name)
	}
	return signalTree(states[name].PID, signal)
}

// signalTree signals a process and its children, because Postgres works in
// child processes.
func signalTree(pid int, signal syscall.Signal) error {
	if pid <= 1 {
		return fmt.Errorf("process %d is not ours", pid)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		return fmt.Errorf("signal process %d: %w", pid, err)
	}
	for _, child := range children(pid) {
		// It may have exited on its own.
		if err := signalTree(child, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

func children(parent int) []int {
	var list []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// pid (name) state parent …; the name may hold anything.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				list = append(list, pid)
			}
		}
	}
	return list
}
