package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

func (s *system) status(ctx context.Context) error {
	states, err := s.supervisor().states(ctx)
	if err != nil {
		return notRunning()
	}
	p, err := s.knownPlan(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(s.out.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROCESS\tSTATE\tPID\tPORT\tRESTARTS\tREADY")
	unready := 0
	for _, process := range p.all() {
		st := states[process.name]
		pid, port, ready := "", "", "no"
		if st.Running {
			pid = fmt.Sprint(st.Pid)
		}
		if len(process.ports) > 0 {
			port = fmt.Sprint(process.ports[0])
		}
		switch {
		case process.oneShot && st.Status == "Completed" && st.ExitCode == 0:
			ready = "done"
		case st.ready():
			ready = "yes"
		default:
			unready++
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n", process.name, strings.ToLower(st.Status), pid, port, st.Restarts, ready)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if unready > 0 {
		fmt.Fprintf(s.out.out, "%d not ready: `make logs S=…` shows why, `make up` starts what has stopped\n", unready)
		return errReported
	}
	return nil
}

func notRunning() error { return fmt.Errorf("nothing is running: `make up` starts it") }

func (s *system) knownPlan(ctx context.Context) (plan, error) {
	if err := s.checkPrerequisites(ctx); err != nil {
		return plan{}, err
	}
	return s.plan()
}

// matching returns the processes whose name begins with the requested prefix.
func (s *system) matching(states map[string]state) ([]string, error) {
	names := slices.Sorted(maps.Keys(states))
	matches := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasPrefix(name, s.prefix) })
	if len(matches) == 0 {
		return nil, fmt.Errorf("no process begins with %q; known processes: %s", s.prefix, strings.Join(names, ", "))
	}
	return matches, nil
}

func (s *system) restart(ctx context.Context) error {
	if s.prefix == "" {
		return fmt.Errorf("say what to restart: make restart S=booking")
	}
	unlock, err := s.lockInstance(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	states, err := s.supervisor().states(ctx)
	if err != nil {
		return notRunning()
	}
	maps.DeleteFunc(states, func(name string, _ state) bool { return isMigration(name) })
	names, err := s.matching(states)
	if err != nil {
		return err
	}
	p, err := s.knownPlan(ctx)
	if err != nil {
		return err
	}
	for _, process := range p.all() {
		if !slices.Contains(names, process.name) {
			continue
		}
		err := s.out.step(process.name, "restarting", "ready again", func() error { return s.restartOne(ctx, process) })
		if err != nil {
			return err
		}
	}
	return nil
}
