package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// The cluster's data is on disks in memory, when we are root: nine programs that wait for one real disk to sync wait for each
// other. What a process has written there outlives it, as what is in the page cache does; and Postgres' disk is small enough
// to be filled in a moment, large enough for an hour of tests.
const (
	postgresDiskSize = "1536m"
	clusterDiskSize  = "8g"
)

// disksInMemory tells whether this instance has them.
func (s *stack) disksInMemory() bool { return s.clustered() && os.Geteuid() == 0 && s.pg.runAs != nil }

// disks are where they are mounted, with their size.
func (s *stack) disks() map[string]string {
	if !s.disksInMemory() {
		return nil
	}
	return map[string]string{s.dataDir: clusterDiskSize, filepath.Dir(s.postgresData()): postgresDiskSize}
}

func (s *stack) mountDisks() error {
	for dir, size := range s.disks() {
		if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // the server's account must pass through Postgres'
			return err
		}
		if entries, _ := os.ReadDir(dir); mounted(dir) || len(entries) > 0 {
			continue // what is there must not be hidden
		}
		if err := syscall.Mount("frontrow", dir, "tmpfs", 0, "mode=711,size="+size); err != nil {
			return fmt.Errorf("mount a disk in memory: %w", err)
		}
	}
	return nil
}

func (s *stack) unmountDisks() error {
	var failures []error
	for dir := range s.disks() {
		if mounted(dir) {
			failures = append(failures, syscall.Unmount(dir, 0))
		}
	}
	return errors.Join(failures...)
}

// mounted tells whether dir is on another device than the folder it is in.
func mounted(dir string) bool {
	var here, above syscall.Stat_t
	err := errors.Join(syscall.Stat(dir, &here), syscall.Stat(filepath.Dir(dir), &above))
	return err == nil && here.Dev != above.Dev
}
