package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

func (s *system) down(ctx context.Context) error {
	unlock, err := s.lockInstance(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	running, err := s.stopRunning(ctx)
	if err == nil && running {
		s.out.note("stopped; the data is kept for the next `make up`")
	}
	return err
}

// stopRunning stops what is running, and reports whether anything was.
func (s *system) stopRunning(ctx context.Context) (bool, error) {
	if !s.supervisor().alive(ctx) && !s.hasOrphans(ctx) {
		s.out.note("nothing is running")
		return false, nil
	}
	return true, s.stopAll(ctx)
}

func (s *system) hasOrphans(ctx context.Context) bool {
	s.findPostgres(ctx) // finds out where postgres's data is
	return len(s.orphans()) > 0
}

// stopAll stops the gateways, the services, the backends and the supervisor, in that order, and returns when they are gone.
func (s *system) stopAll(ctx context.Context) error {
	if s.supervisor().alive(ctx) {
		states, err := s.supervisor().states(ctx)
		if err != nil {
			return err
		}
		for _, wave := range shutdownWaves(states) {
			if err := s.stopTogether(ctx, wave); err != nil {
				return err
			}
		}
		if err := s.stopSupervisor(ctx); err != nil {
			return err
		}
	}
	s.findPostgres(ctx)
	return s.stopOrphans(ctx)
}

// shutdownWaves returns the processes in stop order: proxies that others connect through stop last.
func shutdownWaves(states map[string]state) [][]string {
	waves := make([][]string, 4)
	for name, st := range states {
		wave := 2
		switch {
		case st.ended():
			continue
		case strings.HasPrefix(name, "api-gateway"):
			wave = 0
		case strings.Contains(name, "-service"), name == providerName:
			wave = 1
		case name == toxiproxyName || name == viewsName:
			wave = 3
		}
		waves[wave] = append(waves[wave], name)
	}
	return waves
}

func (s *system) stopTogether(ctx context.Context, names []string) error {
	slices.Sort(names)
	failures := make([]error, len(names))
	var stops sync.WaitGroup
	var printing sync.Mutex
	for i, name := range names {
		stops.Go(func() {
			began := time.Now()
			failures[i] = s.supervisor().stop(ctx, name)
			printing.Lock()
			defer printing.Unlock()
			if failures[i] == nil {
				s.out.done(name, time.Since(began), "stopped")
			}
		})
	}
	stops.Wait()
	return errors.Join(failures...)
}

func (s *system) stopSupervisor(ctx context.Context) error {
	_ = s.supervisor().call(ctx, http.MethodPost, "/project/stop", nil) // it may exit before it has answered
	for deadline := time.Now().Add(30 * time.Second); s.supervisor().alive(ctx); {
		if time.Now().After(deadline) {
			return errors.New("process-compose did not stop within 30 seconds")
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *system) clean(ctx context.Context) error {
	unlock, err := s.lockInstance(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := s.stopRunning(ctx); err != nil {
		return err
	}
	if err := s.removeData(); err != nil {
		return err
	}
	if err := s.removeRun(); err != nil {
		return err
	}
	s.out.note(fmt.Sprintf("removed the data of the instance %s; the built backends stay in %s", s.instance, filepath.Join(s.cacheDir, "backends")))
	return nil
}

func (s *system) removeData() error {
	failures := []error{s.unmountDisks(), os.RemoveAll(s.dataDir)}
	if data := s.postgresData(); !strings.HasPrefix(data, s.dataDir) {
		failures = append(failures, os.RemoveAll(filepath.Dir(data)))
	}
	return errors.Join(failures...)
}

// removeRun removes the logs and everything else except the folders of other instances.
func (s *system) removeRun() error {
	entries, err := os.ReadDir(s.runDir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	failures := []error{err}
	for _, entry := range entries {
		if !slices.Contains(instances, entry.Name()) {
			failures = append(failures, os.RemoveAll(filepath.Join(s.runDir, entry.Name())))
		}
	}
	return errors.Join(failures...)
}
