package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const pollEvery = 150 * time.Millisecond

// sayStillEvery is how often a long step reports that it is still running if there is no terminal to show
// seconds on.
const sayStillEvery = 30 * time.Second

// progress prints one line per step with the seconds it took.
type progress struct {
	out      io.Writer
	terminal bool
}

func newProgress(out *os.File) progress {
	info, err := out.Stat()
	return progress{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p progress) note(text string) { fmt.Fprintln(p.out, "  "+text) }

func (p progress) done(name string, took time.Duration, detail string) {
	line := fmt.Sprintf("  %-29s %6.1f s  %s", name, took.Seconds(), detail)
	fmt.Fprintln(p.out, strings.TrimRight(line, " "))
}

// step runs work and prints its line. It shows progress if the work takes longer than two seconds.
func (p progress) step(name, doing, done string, work func() error) error {
	start := time.Now()
	finished := make(chan struct{})
	silent := make(chan struct{})
	go func() {
		defer close(silent)
		p.showWaiting(finished, start, name, doing)
	}()
	err := work()
	close(finished)
	<-silent
	if err == nil {
		p.done(name, time.Since(start), done)
	}
	return err
}

func (p progress) showWaiting(finished <-chan struct{}, start time.Time, name, doing string) {
	every := sayStillEvery
	if p.terminal {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	first := time.After(2 * time.Second)
	for {
		select {
		case <-finished:
			if p.terminal {
				fmt.Fprint(p.out, "\r\033[K")
			}
			return
		case <-first:
		case <-ticker.C:
		}
		line := fmt.Sprintf("  %-29s %6.0f s  %s …", name, time.Since(start).Seconds(), doing)
		if p.terminal {
			fmt.Fprint(p.out, "\r\033[K"+line)
		} else {
			fmt.Fprintln(p.out, line)
		}
	}
}

// pause waits briefly before the next poll; it returns early if ctx ends.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pollEvery):
		return nil
	}
}
