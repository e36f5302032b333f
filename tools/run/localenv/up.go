package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// plan lists what an instance runs.
type plan struct {
	keys                           secrets
	backends, migrations, services []process
}

func (p plan) all() []process { return slices.Concat(p.backends, p.migrations, p.services) }

// plan requires that the prerequisites have been found.
func (s *system) plan() (plan, error) {
	if err := s.mountDisks(); err != nil {
		return plan{}, err
	}
	keys, err := loadSecrets(s.dataDir)
	if err != nil {
		return plan{}, err
	}
	p := plan{keys: keys, backends: s.backendProcesses()}
	p.migrations, p.services = s.serviceProcesses(keys)
	return p, nil
}

func (s *system) upAndGreet(ctx context.Context) error {
	begin := time.Now()
	unlock, err := s.lockInstance(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.checkPrerequisites(ctx); err != nil {
		return err
	}
	p, err := s.plan()
	if err != nil {
		return err
	}
	if err := s.up(ctx, p); err != nil {
		return err
	}
	if err := s.writeEnv(p); err != nil {
		return err
	}
	s.greet(p, time.Since(begin))
	return nil
}

// up brings the instance to the state in p, from any state.
func (s *system) up(ctx context.Context, p plan) error {
	config, err := supervisorConfig(p.all(), s.runDir, s.logFile)
	if err != nil {
		return err
	}
	if s.supervisor().alive(ctx) {
		running, _ := os.ReadFile(s.supervisorConfigFile())
		if bytes.Equal(running, config) {
			if err := s.buildServices(ctx); err != nil {
				return err
			}
			return s.refresh(ctx, p)
		}
		s.out.note("the configuration has changed since this was started: restarting everything")
		if err := s.stopAll(ctx); err != nil {
			return err
		}
	}
	return s.orStop(ctx, func() error { return s.start(ctx, p) })
}

// firstStart is printed before a first start. Most of its time goes into compiling Consul.
const firstStart = "the first start gets and builds everything: about 7 minutes on two idle cores, only this once"

// start gets, builds and starts everything. The backends start and are migrated while what takes longest is still
// being compiled: the services and, the first time, Consul.
func (s *system) start(ctx context.Context, p plan) error {
	consul := s.artifact(consulName)
	if _, err := os.Stat(s.location(consul)); errors.Is(err, fs.ErrNotExist) {
		s.out.note(firstStart)
	}
	others := slices.DeleteFunc(s.artifacts(), func(a artifact) bool { return a.name == consulName })
	discovery, stores := splitConsul(p.backends)
	built := make(chan struct{})
	group, together := errgroup.WithContext(ctx)
	group.Go(func() error { return s.obtain(together, consul) })
	group.Go(func() error {
		defer close(built)
		return s.buildServices(together)
	})
	group.Go(func() error {
		if err := s.obtain(together, others...); err != nil {
			return err
		}
		if err := s.startBackends(together, p, stores); err != nil {
			return err
		}
		<-built
		return s.migrate(together, p.migrations)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if err := s.startInWaves(ctx, discovery, "ready"); err != nil {
		return err
	}
	return s.startServices(ctx, p)
}

func splitConsul(backends []process) (consul, others []process) {
	for _, p := range backends {
		if p.name == consulName {
			consul = append(consul, p)
		} else {
			others = append(others, p)
		}
	}
	return consul, others
}

// orStop stops everything if work fails or is interrupted.
func (s *system) orStop(ctx context.Context, work func() error) error {
	err := work()
	if err == nil {
		return nil
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	s.out.note("stopping what was started")
	return errors.Join(err, s.stopAll(stopping))
}

// startBackends starts the supervisor, then backends of the plan at once.
func (s *system) startBackends(ctx context.Context, p plan, backends []process) error {
	if err := s.stopOrphans(ctx); err != nil {
		return err
	}
	if err := checkPortsFree(ctx, p.all()); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(s.runDir, "logs")), os.MkdirAll(filepath.Join(s.runDir, "logs"), 0o700),
		os.MkdirAll(filepath.Join(s.runDir, "conf"), 0o700)); err != nil {
		return err
	}
	if err := s.out.step("configuration", "making the data folders", "", func() error { return s.configureBackends(ctx, p.keys) }); err != nil {
		return err
	}
	config, err := supervisorConfig(p.all(), s.runDir, s.logFile)
	if err != nil {
		return err
	}
	if err := s.startSupervisor(ctx, config); err != nil {
		return err
	}
	return s.startInWaves(ctx, backends, "ready")
}

// startServices starts the services together and, when they are ready, the gateways. The stores are migrated.
func (s *system) startServices(ctx context.Context, p plan) error {
	inside, door := splitGateways(p.services)
	if err := s.startTogether(ctx, inside, "ready"); err != nil {
		return err
	}
	return s.startTogether(ctx, door, "ready")
}

func splitGateways(services []process) (inside, door []process) {
	for _, p := range services {
		if strings.HasPrefix(p.name, "api-gateway") {
			door = append(door, p)
		} else {
			inside = append(inside, p)
		}
	}
	return inside, door
}

// migrate runs migrations one after another: concurrent ones would compete for two cores and finish no
// sooner.
func (s *system) migrate(ctx context.Context, migrations []process) error {
	if len(migrations) == 0 {
		return nil
	}
	return s.out.step("migrations", "migrating", "done", func() error {
		for _, p := range migrations {
			if err := s.startAndAwait(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// refresh starts stopped processes, and restarts the services whose program has changed, one replica at a
// time.
func (s *system) refresh(ctx context.Context, p plan) error {
	states, err := s.supervisor().states(ctx)
	if err != nil {
		return err
	}
	if err := s.startInWaves(ctx, unready(p.backends, states), "ready again"); err != nil {
		return err
	}
	var stale []process
	changed := map[string]bool{} // programs
	for _, service := range p.services {
		if states[service.name].Running && programChanged(states[service.name].Pid, service.command[0]) {
			stale = append(stale, service)
			changed[service.command[0]] = true
		}
	}
	for _, migration := range p.migrations {
		if changed[migration.command[0]] || states[migration.name].Status != "Completed" || states[migration.name].ExitCode != 0 {
			if err := s.migrate(ctx, []process{migration}); err != nil {
				return err
			}
		}
	}
	for _, service := range stale {
		err := s.out.step(service.name, "restarting", "restarted: its program has changed", func() error { return s.restartOne(ctx, service) })
		if err != nil {
			return err
		}
	}
	if states, err = s.supervisor().states(ctx); err != nil {
		return err
	}
	return s.startTogether(ctx, unready(p.services, states), "ready again")
}

func unready(processes []process, states map[string]state) []process {
	return slices.DeleteFunc(slices.Clone(processes), func(p process) bool { return states[p.name].ready() })
}

// programChanged reports whether a process runs an older program than the one on disk.
func programChanged(pid int, program string) bool {
	running := fmt.Sprintf("/proc/%d/exe", pid)
	was, errWas := os.Stat(running)
	now, errNow := os.Stat(program)
	if errWas != nil || errNow != nil || os.SameFile(was, now) {
		return false
	}
	return was.Size() != now.Size() || fileSum(running) != fileSum(program)
}

func fileSum(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return ""
	}
	return string(sum.Sum(nil))
}

func (s *system) build(ctx context.Context) error {
	if err := s.checkPrerequisites(ctx); err != nil {
		return err
	}
	return s.buildServices(ctx)
}

// buildServices is incremental: go leaves an unchanged program as it is.
func (s *system) buildServices(ctx context.Context) error {
	arguments := []string{"build", "-trimpath", "-buildvcs=false", "-o", s.binary("") + "/"}
	if s.instance == "bench" {
		overlay, err := s.benchOverlay()
		if err != nil {
			return err
		}
		arguments = append(arguments, "-overlay", overlay)
	}
	if s.instance == "up" || s.instance == "test" {
		if err := s.buildWeb(ctx); err != nil {
			return err
		}
		// With a profile each of three services would compile all that it imports anew, for speed that nobody measures here.
		arguments = append(arguments, "-pgo=off")
	}
	for _, v := range s.services(secrets{IdentitySeed: make([]byte, 32)}) {
		arguments = append(arguments, "./services/"+v.name)
	}
	err := s.out.step("build", "compiling the services, longer the first time", "", func() error {
		if err := os.MkdirAll(s.binary(""), 0o700); err != nil {
			return err
		}
		return runQuietly(exec.CommandContext(ctx, "go", arguments...), s.root) //nolint:gosec // our own list
	})
	if err != nil || !s.clustered() {
		return err
	}
	return s.buildClockOff(ctx)
}
