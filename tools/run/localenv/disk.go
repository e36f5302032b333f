package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// If we are root, the cluster's data is on in-memory disks: nine programs that sync to one real disk would
// wait for each other. Data survives the process that wrote it, as in the page cache. Postgres's disk is
// small enough to fill quickly, and large enough for an hour of tests.
const (
	postgresDiskSize = "1536m"
	clusterDiskSize  = "8g"
)

// disksInMemory reports whether this instance uses in-memory disks.
func (s *system) disksInMemory() bool { return s.clustered() && os.Geteuid() == 0 && s.pg.runAs != nil }

// disks maps mount points to sizes.
func (s *system) disks() map[string]string {
	if !s.disksInMemory() {
		return nil
	}
	return map[string]string{s.dataDir: clusterDiskSize, filepath.Dir(s.postgresData()): postgresDiskSize}
}

func (s *system) mountDisks() error {
	for dir, size := range s.disks() {
		if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // the server's account must pass through Postgres'
			return err
		}
		if entries, _ := os.ReadDir(dir); mounted(dir) || len(entries) > 0 {
			continue // must not hide existing files
		}
		if err := syscall.Mount("frontrow", dir, "tmpfs", 0, "mode=711,size="+size); err != nil {
			return fmt.Errorf("mount in-memory disk: %w", err)
		}
	}
	return nil
}

func (s *system) unmountDisks() error {
	var failures []error
	for dir := range s.disks() {
		if mounted(dir) {
			failures = append(failures, syscall.Unmount(dir, 0))
		}
	}
	return errors.Join(failures...)
}

// mounted reports whether dir is on another device than its parent folder.
func mounted(dir string) bool {
	var here, above syscall.Stat_t
	err := errors.Join(syscall.Stat(dir, &here), syscall.Stat(filepath.Dir(dir), &above))
	return err == nil && here.Dev != above.Dev
}
