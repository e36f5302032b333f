package clock_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

func TestSleepEndsAfterTheDurationOrWithTheContext(t *testing.T) {
	for name, c := range map[string]struct {
		cancelAfter, sleep, want time.Duration
		goesOn                   bool
	}{
		"the duration passes first":     {time.Minute, time.Second, time.Second, true},
		"no duration":                   {time.Minute, 0, 0, true},
		"the context ends first":        {time.Second, time.Minute, time.Second, false},
		"the context has already ended": {0, time.Minute, 0, false},
		"no duration, no context":       {0, -time.Second, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.cancelAfter)
				defer cancel()
				began := time.Now()
				if goesOn := clock.Sleep(ctx, c.sleep); goesOn != c.goesOn {
					t.Errorf("the context goes on: %v", goesOn)
				}
				if slept := time.Since(began); slept != c.want {
					t.Errorf("slept %v, want %v", slept, c.want)
				}
			})
		})
	}
}
