package main

import (
	"fmt"
	"sync"
	"time"
)

// progress prints progress, one line per step.
type progress struct {
	begin time.Time
	mu    sync.Mutex
}

func (s *progress) printf(format string, arguments ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Printf("%6.1f s  %s\n", time.Since(s.begin).Seconds(), fmt.Sprintf(format, arguments...))
}

// watch prints a line every two seconds, and a last one when the returned
// function is called.
func (s *progress) watch(line func() string) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.printf("%s", line())
			case <-quit:
				s.printf("%s", line())
				return
			}
		}
	}()
	return func() { close(quit); <-ended }
}
