// Package cpu measures how a machine's CPU time divides among Frontrow's
// processes, including their child processes.
package cpu

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// tick is a clock tick of /proc: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// Times maps processes to the CPU time used since each began.
type Times map[string]time.Duration

// Names of entries that are not supervised processes.
const (
	// Generator is this process.
	Generator = "load generator"
	// Machine is everything, including the kernel's own work and other
	// programs.
	Machine = "the whole machine"
)

// Read returns the times of the processes by name, of this process and of the
// machine.
func Read(pids map[string]int) (Times, error) {
	parents, used, err := table("/proc")
	if err != nil {
		return nil, err
	}
	names := map[int]string{os.Getpid(): Generator}
	for name, pid := range pids {
		names[pid] = name
	}
	times := Times{Generator: own(), Machine: 0}
	for pid, took := range used {
		// A process counts for its nearest ancestor that has a name.
		for at := pid; at > 1; at = parents[at] {
			if name, ok := names[at]; ok {
				if name != Generator {
					times[name] += took
				}
				break
			}
		}
	}
	times[Machine], err = machine("/proc/stat")
	return times, err
}

// Since returns the CPU time used between before and t.
func (t Times) Since(before Times) Times {
	diff := Times{}
	for name, took := range t {
		diff[name] = took - before[name]
	}
	return diff
}

// Add adds the times of others.
func (t Times) Add(others Times) {
	for name, took := range others {
		t[name] += took
	}
}

func own() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// table returns each process's parent and CPU time.
func table(proc string) (parents map[int]int, used map[int]time.Duration, err error) {
	files, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "stat"))
	if err != nil {
		return nil, nil, err
	}
	parents, used = make(map[int]int, len(files)), make(map[int]time.Duration, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the process has exited
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, took, err := parseStat(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", file, err)
		}
		parents[pid], used[pid] = parent, took
	}
	return parents, used, nil
}

// parseStat parses the parent and the CPU time, user plus system, from a line
// of /proc/<pid>/stat. The name in brackets may itself contain spaces and
// brackets.
func parseStat(line []byte) (parent int, used time.Duration, err error) {
	fields := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:])
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("a line of %d fields", len(fields))
	}
	numbers := [3]int{}
	for i, at := range []int{1, 11, 12} {
		if numbers[i], err = strconv.Atoi(string(fields[at])); err != nil {
			return 0, 0, err
		}
	}
	return numbers[0], time.Duration(numbers[1]+numbers[2]) * tick, nil
}

// machine returns the machine's non-idle CPU time.
func machine(file string) (time.Duration, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	busy := 0
	for i, field := range bytes.Fields(line) {
		// cpu user nice system idle iowait irq softirq steal guest guest_nice:
		// the last two are already included in user and nice.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, err := strconv.Atoi(string(field))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		busy += n
	}
	return time.Duration(busy) * tick, nil
}
