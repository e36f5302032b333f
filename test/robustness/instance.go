package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// localenv is what `make localenv` builds.
const localenv = ".run/bin/localenv"

// startInstance starts a separate instance and sets its environment for this
// process.
func (s *session) startInstance(ctx context.Context) error {
	s.progress("starting the instance %s", s.instance)
	if err := s.runLocalenv(ctx, "up"); err != nil {
		return err
	}
	file, err := os.Open(filepath.Join(".run", s.instance, "env"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		name, value, found := strings.Cut(lines.Text(), "=")
		if !found {
			continue
		}
		if err := os.Setenv(name, strings.Trim(value, "'\"")); err != nil {
			return err
		}
	}
	return lines.Err()
}

// stopInstance stops the instance and removes its data, even after an
// interrupt.
func (s *session) stopInstance(ctx context.Context) {
	s.progress("stopping the instance %s", s.instance)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Minute)
	defer cancel()
	if err := s.runLocalenv(ctx, "clean"); err != nil {
		fmt.Fprintln(os.Stderr, "the instance may still be running: "+err.Error())
	}
}

func (s *session) runLocalenv(ctx context.Context, command string) error {
	program := exec.CommandContext(ctx, localenv, command, "-instance", s.instance) //nolint:gosec // our own program
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	program.Cancel = func() error { return program.Process.Signal(os.Interrupt) }
	program.WaitDelay = time.Minute
	if err := program.Run(); err != nil {
		return fmt.Errorf("localenv %s: %w", command, err)
	}
	return nil
}
