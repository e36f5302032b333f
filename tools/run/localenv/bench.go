package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// exitStatus makes the program exit with the status of a command that has already printed its error.
type exitStatus int

// Error implements error.
func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// bench runs the load test: on an instance with one node of each backend, then on one with three.
func (s *system) bench(ctx context.Context) error {
	if err := s.checkPrerequisites(ctx); err != nil {
		return err
	}
	load := s.binary("load")
	err := s.out.step("load", "compiling the load test", "", func() error {
		return runQuietly(exec.CommandContext(ctx, "go", "build", "-o", load, "./test/load"), s.root) //nolint:gosec // our own
	})
	if err != nil {
		return err
	}
	if err := s.loadTest(ctx, load); err != nil {
		return err
	}
	three, err := newSystem("cluster", "")
	if err != nil {
		return err
	}
	return three.loadTest(ctx, load, "-only", "rf3")
}

// loadTest runs a program against fresh backends and services, and always stops them afterwards.
func (s *system) loadTest(ctx context.Context, program string, arguments ...string) error {
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
	return s.orStop(ctx, func() error {
		p, err := s.freshBackends(ctx)
		if err != nil {
			return err
		}
		if err := s.migrate(ctx, p.migrations); err != nil {
			return err
		}
		if err := s.startServices(ctx, p); err != nil {
			return err
		}
		if err := s.runLoad(ctx, program, p, arguments...); err != nil {
			return err
		}
		return errors.Join(s.stopAll(ctx), s.removeData())
	})
}

// overlayDir holds the baselines for the load test, in the same folders as the services' own code.
const overlayDir = "test/load/_overlay"

// benchOverlay writes the compiler's overlay file that adds the baselines to the services.
func (s *system) benchOverlay() (path string, err error) {
	replace := map[string]string{}
	dir := filepath.Join(s.root, overlayDir)
	err = filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			replace[filepath.Join(s.root, strings.TrimPrefix(file, dir))] = file
		}
		return err
	})
	list, jsonErr := json.Marshal(object{"Replace": replace})
	path = s.confFile("overlay.json")
	return path, errors.Join(err, jsonErr, os.MkdirAll(s.confFile(""), 0o700), writeAtomically(path, list))
}

// runLoad returns an exitStatus if the load test exits with one.
func (s *system) runLoad(ctx context.Context, program string, p plan, arguments ...string) error {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = s.root
	command.Env = append(os.Environ(), s.envLines(p)...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	// On an interrupt the load test writes the results so far.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 20 * time.Second
	err := command.Run()
	var exited *exec.ExitError
	if errors.As(err, &exited) && exited.ExitCode() > 0 {
		return exitStatus(exited.ExitCode())
	}
	return err
}
