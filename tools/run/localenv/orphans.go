package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopOrphans stops processes left behind by a supervisor that died. Nothing restarts them any more.
func (s *system) stopOrphans(ctx context.Context) error {
	pids := s.orphans()
	if len(pids) == 0 {
		return nil
	}
	s.out.note("stopping what an earlier run left behind: processes " + strings.Join(pids, " "))
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		for _, pid := range pids {
			if number, err := strconv.Atoi(pid); err == nil {
				_ = syscall.Kill(number, signal)
			}
		}
		for deadline := time.Now().Add(20 * time.Second); len(pids) > 0 && time.Now().Before(deadline); {
			if err := pause(ctx); err != nil {
				return err
			}
			pids = slices.DeleteFunc(pids, gone)
		}
	}
	return nil
}

// gone reports whether a process holds no resources any more. Its environment vanishes before its ports are
// free, and it counts as a zombie while threads of it still end.
func gone(pid string) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	threads, _ := os.ReadDir(filepath.Join("/proc", pid, "task"))
	_, fields, _ := strings.Cut(string(stat), ") ")
	return err != nil || (strings.HasPrefix(fields, "Z") && len(threads) <= 1)
}

// orphans finds processes by the marker in their environment. Postgres and Redis overwrite it with their
// titles, so they are found by their pid files, if that process works in their data folder.
func (s *system) orphans() []string {
	mark := []byte("\x00" + runVariable + "=" + s.runDir + "\x00")
	var pids []string
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		content, err := os.ReadFile(path)
		if err == nil && bytes.Contains(append([]byte{0}, content...), mark) {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	pidFiles, _ := filepath.Glob(filepath.Join(s.dataDir, "*", "redis.pid"))
	for _, path := range append(pidFiles, filepath.Join(s.postgresData(), "postmaster.pid")) {
		dir := filepath.Dir(path)
		content, _ := os.ReadFile(path)
		pid, _, _ := strings.Cut(string(content), "\n")
		cwd, err := os.Readlink(filepath.Join("/proc", pid, "cwd"))
		if pid != "" && err == nil && cwd == dir {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}
