package fault

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newInjector returns an injector with one kind, which records what happens to
// it.
func newInjector(begin func(context.Context, Fault) (undo, error)) *Injector {
	return &Injector{kinds: []kind{{name: "hurt", start: begin}}}
}

func TestRunHealsWhenTheRunIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	healed := false
	i := newInjector(func(context.Context, Fault) (undo, error) {
		cancel()
		return func(healing context.Context) error {
			healed = true
			return healing.Err()
		}, nil
	})
	if err := i.Run(ctx, Fault{Kind: "hurt", Duration: time.Hour}); err != nil || !healed {
		t.Errorf("healed is %v, error %v", healed, err)
	}
}

func TestRunUndoesWhatItBegunAndCouldNotFinish(t *testing.T) {
	half := errors.New("half done")
	healed := false
	i := newInjector(func(context.Context, Fault) (undo, error) {
		return func(context.Context) error { healed = true; return nil }, half
	})
	if err := i.Run(t.Context(), Fault{Kind: "hurt", Duration: time.Hour}); !errors.Is(err, half) || !healed {
		t.Errorf("healed is %v, error %v", healed, err)
	}
}

func TestRunSaysWhenHealingFails(t *testing.T) {
	hopeless := errors.New("hopeless")
	i := newInjector(func(context.Context, Fault) (undo, error) {
		return func(context.Context) error { return hopeless }, nil
	})
	if err := i.Run(t.Context(), Fault{Kind: "hurt"}); !errors.Is(err, hopeless) {
		t.Errorf("got %v", err)
	}
}

func TestRunRefusesKindItDoesNotKnow(t *testing.T) {
	if err := newInjector(nil).Run(t.Context(), Fault{Kind: "meteor"}); err == nil || !strings.Contains(err.Error(), "meteor") {
		t.Errorf("got %v", err)
	}
}

func TestSecondFaultOnATargetWaitsForTheFirst(t *testing.T) {
	var h locks
	freeFirst, err := h.lock(t.Context(), "redis-1")
	if err != nil {
		t.Fatal(err)
	}
	freeOther, err := h.lock(t.Context(), "redis-2")
	if err != nil {
		t.Fatal(err)
	}
	freeOther()
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := h.lock(short, "redis-2", "redis-1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the target of another fault was given: %v", err)
	}
	second := make(chan error, 1)
	go func() {
		free, err := h.lock(t.Context(), "redis-1")
		if err == nil {
			free()
		}
		second <- err
	}()
	freeFirst()
	if err := <-second; err != nil {
		t.Error(err)
	}
}

func TestPauseReachesChildren(t *testing.T) {
	shell := exec.CommandContext(t.Context(), "sh", "-c", "sleep 100 & wait")
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	pid := shell.Process.Pid
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	await := func(what string, want func(state string) bool) {
		t.Helper()
		err := poll(ctx, what, func(context.Context) (bool, error) {
			family := append(children(pid), pid)
			return len(family) == 2 && !slices.ContainsFunc(family, func(pid int) bool { return !want(stateOf(pid)) }), nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	await("both run", func(state string) bool { return state == "S" })
	defer func() { _ = errors.Join(signalTree(pid, syscall.SIGKILL), shell.Wait()) }()
	if err := signalTree(pid, sigStop); err != nil {
		t.Fatal(err)
	}
	await("both are stopped", func(state string) bool { return state == "T" })
	if err := signalTree(pid, sigContinue); err != nil {
		t.Fatal(err)
	}
	await("both go on", func(state string) bool { return state == "S" })
}

// stateOf returns a process's state letter: S is sleeping, T is stopped.
func stateOf(pid int) string {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	fields := strings.Fields(string(text))
	if len(fields) < 3 {
		return ""
	}
	return fields[2]
}
