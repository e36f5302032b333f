package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tailBytes is how many bytes at the end of a log are searched for its last lines.
const tailBytes = 64 << 10

// follower prints lines as they are added to one log.
type follower struct {
	name   string
	path   string
	offset int64
}

// logs shows the last lines of each log and, on a terminal, follows it.
func (s *system) logs(ctx context.Context) error {
	paths, _ := filepath.Glob(s.logFile(s.prefix + "*"))
	if len(paths) == 0 {
		return fmt.Errorf("no log begins with %q in %s", s.prefix, s.relative(filepath.Dir(s.logFile(""))))
	}
	var followers []*follower
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".log")
		if s.prefix == "" && (name == "process-compose" || name == "supervisor") {
			continue // repeats the processes' own logs
		}
		f := &follower{name: name, path: path}
		f.printTail(s.out.out, 20)
		followers = append(followers, f)
	}
	for s.out.terminal {
		select {
		case <-ctx.Done(): // interrupted
			return nil
		case <-time.After(300 * time.Millisecond):
		}
		for _, f := range followers {
			f.printNew(s.out.out)
		}
	}
	return nil
}

func (f *follower) printTail(out io.Writer, lines int) {
	info, err := os.Stat(f.path)
	if err != nil {
		return
	}
	f.offset = max(0, info.Size()-tailBytes)
	text := f.read()
	f.print(out, lastLines(text, lines))
}

func (f *follower) printNew(out io.Writer) {
	info, err := os.Stat(f.path)
	if err != nil {
		return
	}
	if info.Size() < f.offset { // rotated
		f.offset = 0
	}
	f.print(out, strings.TrimRight(f.read(), "\n"))
}

// read returns the complete lines after the offset, and advances it past them.
func (f *follower) read() string {
	file, err := os.Open(f.path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.NewSectionReader(file, f.offset, 1<<40))
	if err != nil {
		return ""
	}
	whole := content[:bytes.LastIndexByte(content, '\n')+1]
	f.offset += int64(len(whole))
	return string(whole)
}

func (f *follower) print(out io.Writer, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(out, "%-23s | %s\n", f.name, line)
	}
}
