package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTarget is the replica whose clock is set an hour ahead.
const clockTarget = "booking-service-3"

// skewedProgram is the program with that clock, or "" if there is none.
func skewedProgram() string { return os.Getenv("FRONTROW_CLOCK_OFF") }

func (i *Injector) clockKinds() []kind {
	return []kind{{name: "clock-off", faults: func() ([]Fault, string) {
		if skewedProgram() == "" {
			return nil, "no program with a wrong clock (FRONTROW_CLOCK_OFF is not set)"
		}
		return eachOf(clockTarget), ""
	}, start: i.skewClock}}
}

// skewClock replaces a replica with a program whose clock is an hour ahead.
func (i *Injector) skewClock(ctx context.Context, f Fault) (undo, error) {
	environment, err := i.environment(ctx, f.Target)
	if err != nil {
		return nil, err
	}
	start, err := i.stop(ctx, Fault{Target: f.Target})
	if err != nil {
		return start, err
	}
	// Not CommandContext: it must be stopped as a service is.
	command := exec.Command(skewedProgram()) //nolint:gosec,noctx // built by the instance
	command.Env = strings.Split(strings.TrimRight(string(environment), "\x00"), "\x00")
	log, err := os.OpenFile(filepath.Join(filepath.Dir(skewedProgram()), "..", "logs", f.Target+"-clock-off.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return start, err
	}
	defer func() { _ = log.Close() }()
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		return start, err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	heal := func(ctx context.Context) error {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have exited
		select {
		case <-ended: // whatever the error
		case <-time.After(30 * time.Second):
			_ = command.Process.Kill()
			<-ended
		}
		return start(ctx)
	}
	starting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return heal, poll(starting, f.Target+" with a wrong clock is ready", func(ctx context.Context) (bool, error) {
		select {
		case err := <-ended:
			ended <- err // for heal
			cancel()
			return false, fmt.Errorf("process exited: %w", errors.Join(err))
		default:
		}
		return i.isReady(ctx, f.Target)
	})
}

func (i *Injector) isReady(ctx context.Context, name string) (bool, error) {
	admin, err := i.system.AdminAddress(name)
	if err != nil {
		return false, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/readyz", nil)
	if err != nil {
		return false, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, err
	}
	return answer.StatusCode == http.StatusOK, answer.Body.Close()
}

// killLeftovers kills programs with a wrong clock that were left behind by a dead
// injector.
func killLeftovers() error {
	if skewedProgram() == "" {
		return nil
	}
	var failures []error
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || strings.TrimSuffix(target, " (deleted)") != skewedProgram() {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			failures = append(failures, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	return errors.Join(failures...)
}

// environment returns a process's environment. The process may just be
// restarting.
func (i *Injector) environment(ctx context.Context, name string) (environment []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = poll(ctx, name+" runs", func(ctx context.Context) (bool, error) {
		states, err := i.processes.States(ctx)
		if err != nil {
			return false, err
		}
		environment, err = os.ReadFile(filepath.Join("/proc", strconv.Itoa(states[name].PID), "environ"))
		return err == nil && len(environment) > 0, err
	})
	return environment, err
}
