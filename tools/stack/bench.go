package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// exitStatus ends the program with the status of the one it ran, which has said what was wrong.
type exitStatus int

// Error is for the type's sake.
func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// bench runs the load test on fresh backends and services, and stops them in any case.
func (s *stack) bench(ctx context.Context) error {
	unlock, err := s.lockInstance(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.buildServices(ctx); err != nil {
		return err
	}
	load := s.binary("load")
	err = s.out.step("load", "compiling the load test", "", func() error {
		return runQuietly(exec.CommandContext(ctx, "go", "build", "-o", load, "./test/load"), s.root) //nolint:gosec // our own
	})
	if err != nil {
		return err
	}
	return s.orStop(ctx, func() error {
		p, err := s.freshBackends(ctx)
		if err != nil {
			return err
		}
		if err := s.startServices(ctx, p); err != nil {
			return err
		}
		if err := s.runLoad(ctx, load, p); err != nil {
			return err
		}
		return errors.Join(s.stopAll(ctx), s.removeData())
	})
}

// runLoad returns an exitStatus when the load test has one.
func (s *stack) runLoad(ctx context.Context, program string, p plan) error {
	command := exec.CommandContext(ctx, program)
	command.Dir = s.root
	command.Env = append(os.Environ(), s.envLines(p)...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	// An interrupt lets it write what it has.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 20 * time.Second
	err := command.Run()
	var exited *exec.ExitError
	if errors.As(err, &exited) && exited.ExitCode() > 0 {
		return exitStatus(exited.ExitCode())
	}
	return err
}
