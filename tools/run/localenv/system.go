package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// system is one instance of Frontrow with its backends: `up` for people, `test` for the tests, `bench` for the
// load test, and `cluster`, which has several nodes of each backend and links that can be cut. All can run at
// once.
type system struct {
	instance string
	prefix   string // of process names, for logs and restart
	root     string // the checkout
	runDir   string // logs, sockets, rendered configuration; short-lived
	cacheDir string // built backends, shared by all checkouts of this user
	dataDir  string // what the backends of this checkout store
	ports    ports
	out      *progress

	java string // found by checkPrerequisites
	pg   postgresProgram
}

func newSystem(instance, prefix string) (*system, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(root, "tools", "run", "backends")); err != nil {
		return nil, errors.New("run this in the root of the checkout, with make")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find cache folder: %w", err)
	}
	s := &system{
		instance: instance,
		prefix:   prefix,
		root:     root,
		runDir:   filepath.Join(root, ".run"),
		cacheDir: filepath.Join(cache, "frontrow"),
		ports:    portsOf(instance),
		out:      newProgress(os.Stdout),
	}
	if instance != "up" {
		s.runDir = filepath.Join(root, ".run", instance)
	}
	s.dataDir = filepath.Join(s.cacheDir, "data", fmt.Sprintf("%s-%.4x", instance, sha256.Sum256([]byte(root))))
	return s, nil
}

// clustered reports whether this instance has several nodes of each backend, and links.
func (s *system) clustered() bool { return s.instance == "cluster" }

// binary is the path of a service's executable. The load test's services have extra handlers, and the
// robustness test puts services with faults in the cluster's folder.
func (s *system) binary(name string) string {
	if s.instance == "bench" || s.clustered() {
		return filepath.Join(s.runDir, "bin", name)
	}
	return filepath.Join(s.root, ".run", "bin", name)
}

func (s *system) logFile(name string) string  { return filepath.Join(s.runDir, "logs", name+".log") }
func (s *system) confFile(name string) string { return filepath.Join(s.runDir, "conf", name) }

// socket is the supervisor's socket. The name of a Unix socket has at most 107 bytes, which a deep checkout
// exceeds.
func (s *system) socket() string {
	path := filepath.Join(s.runDir, "supervisor.sock")
	if len(path) > 100 {
		path = filepath.Join(os.TempDir(), fmt.Sprintf("frontrow-%x.sock", sha256.Sum256([]byte(path)))[:40])
	}
	return path
}

// lock lets only one run at a time work on the subject of path. It prints a note while it waits for another
// run.
func (s *system) lock(ctx context.Context, path, subject string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for said := false; ; said = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if !said {
			s.out.note("waiting until another run has finished with " + subject)
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

func (s *system) lockInstance(ctx context.Context) (unlock func(), err error) {
	return s.lock(ctx, s.dataDir+".lock", "the instance "+s.instance)
}
