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

// stackProgram is what `make stack` builds.
const stackProgram = ".run/bin/stack"

// startInstance starts a separate instance and sets its environment for this
// process.
func (s *session) startInstance(ctx context.Context) error {
	s.say("starting the instance %s", s.instance)
	if err := s.stackCommand(ctx, "up"); err != nil {
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
	s.say("stopping the instance %s", s.instance)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Minute)
	defer cancel()
	if err := s.stackCommand(ctx, "clean"); err != nil {
		fmt.Fprintln(os.Stderr, "the instance may still be running: "+err.Error())
	}
}

func (s *session) stackCommand(ctx context.Context, command string) error {
	stack := exec.CommandContext(ctx, stackProgram, command, "-instance", s.instance) //nolint:gosec // our own program
	stack.Stdout, stack.Stderr = os.Stdout, os.Stderr
	stack.Cancel = func() error { return stack.Process.Signal(os.Interrupt) }
	stack.WaitDelay = time.Minute
	if err := stack.Run(); err != nil {
		return fmt.Errorf("stack %s: %w", command, err)
	}
	return nil
}
