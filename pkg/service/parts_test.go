package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

// journal records events in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func TestPartsStopInReverse(t *testing.T) {
	var j journal
	s := &Process{}
	s.Close("store", func(context.Context) error { j.note("store closed"); return nil })
	for _, name := range []string{"producer", "consumer"} {
		s.Go(name, func(ctx context.Context) error {
			<-ctx.Done()
			j.note(name + " stopped")
			return nil
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.runParts(ctx) }()
	for !s.ready() {
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if want := []string{"consumer stopped", "producer stopped", "store closed"}; !slices.Equal(j.lines, want) {
		t.Errorf("got %v", j.lines)
	}
	if s.ready() {
		t.Error("ready after the end")
	}
}

func TestFailureOfOnePartStopsAll(t *testing.T) {
	for name, failure := range map[string]error{"an error": errors.New("fatal"), "an end without one": nil} {
		t.Run(name, func(t *testing.T) {
			var j journal
			s := &Process{}
			s.Close("store", func(context.Context) error { j.note("closed"); return nil })
			s.Go("part", func(context.Context) error { return failure })
			err := s.runParts(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), "part: ") {
				t.Errorf("error %v", err)
			}
			if len(j.lines) != 1 {
				t.Error("the store was left open")
			}
		})
	}
}
