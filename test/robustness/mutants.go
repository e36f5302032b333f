package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/test/robustness/mutant"
	"github.com/frontrow-tickets/frontrow/test/robustness/report"
	"github.com/frontrow-tickets/frontrow/test/robustness/round"
	"github.com/frontrow-tickets/frontrow/test/system"
)

// The rounds in which the mutants must be detected: shorter than others, with a
// seed that pauses one replica of booking-service, kills and restarts another,
// and replaces all of them once. A different catalogue of faults needs a
// different seed.
const (
	mutantSeed   = 658
	mutantLength = 110 * time.Second
)

const service = "booking-service"

// runMutants runs a round with each mutant in place of booking-service and checks
// whether it is detected. It restores the original program at the end.
func (s *session) runMutants(ctx context.Context) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	processes, err := system.OpenProcesses()
	if err != nil {
		return err
	}
	program, replicas, err := running(ctx, processes)
	if err != nil {
		return err
	}
	for i, m := range mutant.All {
		s.progress("mutant %d of %d, %s: %s", i+1, len(mutant.All), m.Name, m.What)
		folder := filepath.Join(s.out, "mutant-"+m.Name)
		built, err := m.Build(ctx, root, filepath.Join(root, folder, "build"))
		if err != nil {
			return err
		}
		result, err := s.withProgram(ctx, processes, program, replicas, built, func() (*round.Result, error) {
			return round.Run(ctx, s.config("mutant "+m.Name, mutantSeed, mutantLength, "mutant-"+m.Name))
		})
		if err != nil {
			return fmt.Errorf("mutant %s: %w", m.Name, err)
		}
		caught := report.Mutant{Name: m.Name, What: m.What, Breaks: m.Breaks, Result: result}
		s.mutantResults = append(s.mutantResults, caught)
		if caught.Caught() {
			s.progress("mutant %s is detected by %s", m.Name, caught.By())
		} else {
			s.progress("mutant %s was NOT DETECTED by %s", m.Name, m.Breaks)
		}
	}
	return nil
}

// running returns the program that the replicas of booking-service run.
func running(ctx context.Context, processes *system.Processes) (program string, replicas []string, err error) {
	states, err := processes.States(ctx)
	if err != nil {
		return "", nil, err
	}
	for name, state := range states {
		if !strings.HasPrefix(name, service) {
			continue
		}
		replicas = append(replicas, name)
		if program, err = os.Readlink(fmt.Sprintf("/proc/%d/exe", state.PID)); err != nil {
			return "", nil, err
		}
	}
	if filepath.Base(program) != service {
		return "", nil, fmt.Errorf("replicas of %s run %q, which can't be replaced", service, program)
	}
	return program, replicas, nil
}

// withProgram runs a round with another program in place of the replicas' own.
func (s *session) withProgram(ctx context.Context, processes *system.Processes, program string, replicas []string, other string,
	work func() (*round.Result, error),
) (result *round.Result, err error) {
	kept := program + ".true"
	if err := copyFile(program, kept); err != nil {
		return nil, err
	}
	defer func() {
		restoring, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Minute)
		defer cancel()
		err = errors.Join(err, os.Rename(kept, program), restart(restoring, processes, replicas))
	}()
	if err := replace(other, program); err != nil {
		return nil, err
	}
	if err := restart(ctx, processes, replicas); err != nil {
		return nil, err
	}
	return work()
}

func restart(ctx context.Context, processes *system.Processes, replicas []string) error {
	for _, name := range replicas {
		if err := processes.Stop(ctx, name); err != nil {
			return err
		}
		if err := processes.Start(ctx, name); err != nil {
			return err
		}
		if err := processes.AwaitReady(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// replace replaces target with a copy of source atomically: a process that
// starts meanwhile finds one or the other.
func replace(source, target string) error {
	if err := copyFile(source, target+".new"); err != nil {
		return err
	}
	return os.Rename(target+".new", target)
}

func copyFile(source, target string) (err error) {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()                                          // it was only read
	out, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o700) //nolint:gosec // a program must be executable
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
