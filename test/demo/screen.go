package main

import (
	"fmt"
	"sync"
	"time"
)

// screen prints progress, one line per step.
type screen struct {
	begin time.Time
	mu    sync.Mutex
}

func (s *screen) say(format string, arguments ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Printf("%6.1f s  %s\n", time.Since(s.begin).Seconds(), fmt.Sprintf(format, arguments...))
}

// watch prints a line every two seconds, and a last one when the returned
// function is called.
func (s *screen) watch(line func() string) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.say("%s", line())
			case <-quit:
				s.say("%s", line())
				return
			}
		}
	}()
	return func() { close(quit); <-ended }
}
