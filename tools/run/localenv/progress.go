package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const pollEvery = 150 * time.Millisecond

// sayStillEvery is how often a long step reports that it is still running if there is no terminal to show
// seconds on.
const sayStillEvery = 30 * time.Second

// progress prints one line per finished step with the seconds it took. On a terminal, its last line shows the steps
// that are running.
type progress struct {
	out      io.Writer
	terminal bool

	mu      sync.Mutex
	running []*step // in the order in which they began
	shown   bool    // the last line is on the terminal
}

// step is one part of the work. Several can run side by side.
type step struct {
	name, doing string
	began       time.Time
}

func newProgress(out *os.File) *progress {
	info, err := out.Stat()
	return &progress{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p *progress) note(text string) { p.print("  " + text) }

func (p *progress) done(name string, took time.Duration, detail string) {
	line := fmt.Sprintf("  %-29s %6.1f s  %s", name, took.Seconds(), detail)
	p.print(strings.TrimRight(line, " "))
}

func (p *progress) print(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hide()
	fmt.Fprintln(p.out, line)
}

// step runs work and prints its line. It shows progress if the work takes longer than two seconds.
func (p *progress) step(name, doing, done string, work func() error) error {
	s := &step{name, doing, time.Now()}
	p.mu.Lock()
	p.running = append(p.running, s)
	p.mu.Unlock()
	finished := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Go(func() { p.showWaiting(finished, s) })
	err := work()
	close(finished)
	waiting.Wait()
	p.mu.Lock()
	p.running = slices.DeleteFunc(p.running, func(r *step) bool { return r == s })
	p.hide()
	p.mu.Unlock()
	if err == nil {
		p.done(name, time.Since(s.began), done)
	}
	return err
}

func (p *progress) showWaiting(finished <-chan struct{}, s *step) {
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
			return
		case <-first:
		case <-ticker.C:
		}
		if p.terminal {
			p.show()
		} else {
			p.print(s.line())
		}
	}
}

func (s *step) line() string {
	return fmt.Sprintf("  %-29s %6.0f s  %s …", s.name, time.Since(s.began).Seconds(), s.doing)
}

// show replaces the last line of the terminal by the running steps.
func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hide()
	fmt.Fprint(p.out, p.status())
	p.shown = true
}

// hide removes the last line of the terminal if it shows running steps.
func (p *progress) hide() {
	if p.shown {
		fmt.Fprint(p.out, "\r\033[K")
		p.shown = false
	}
}

// status is one line: all about the only running step, or the names of several.
func (p *progress) status() string {
	if len(p.running) == 1 {
		return p.running[0].line()
	}
	var steps []string
	for _, s := range p.running {
		steps = append(steps, fmt.Sprintf("%s %.0f s", s.name, time.Since(s.began).Seconds()))
	}
	const columns = 76 // a line that wraps can't be removed
	line := "  " + strings.Join(steps, ", ")
	if len(line) > columns {
		line = line[:columns]
	}
	return line + " …"
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
