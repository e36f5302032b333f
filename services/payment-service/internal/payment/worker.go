package payment

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// pickEvery finds what nobody gave or told of: the work of a process that died,
	// and what is due again.
	pickEvery = 500 * time.Millisecond
	// parallel bounds the jobs at work: a call to the provider may hang for a second.
	parallel = 128
	pickMax  = 64
	// maxGiven bounds the given jobs that wait.
	maxGiven = 4096
)

// Worker does jobs that it is given, and picks those that are due, many at once.
type Worker[J any] struct {
	// Name of the work, for the log.
	Name string
	Pick func(ctx context.Context, n int, lease time.Duration) ([]J, error)
	Do   func(ctx context.Context, job J) error

	wake  chan struct{}
	given chan J
	once  sync.Once
}

func (w *Worker[J]) init() {
	w.once.Do(func() { w.wake, w.given = make(chan struct{}, 1), make(chan J, maxGiven) })
}

// Give has the worker do a job that the caller has leased. One that there is no
// room for is picked when its lease is over.
func (w *Worker[J]) Give(j J) {
	w.init()
	select {
	case w.given <- j:
	default:
	}
}

// Wake makes the worker look for jobs now.
func (w *Worker[J]) Wake() {
	w.init()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends; jobs at work are finished.
func (w *Worker[J]) Run(ctx context.Context) error {
	w.init()
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	defer wg.Wait()
	start := func(j J) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			// A job at work is finished even if the process is to stop.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Lease)
			defer cancel()
			if err := w.Do(ctx, j); err != nil {
				slog.WarnContext(ctx, "job failed, will be tried again", "work", w.Name, "error", err)
			}
		})
	}
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case j := <-w.given:
				start(j)
			}
		}
	})
	timer := time.NewTicker(pickEvery)
	defer timer.Stop()
	for ctx.Err() == nil {
		more := false
		if free := parallel - len(slots); free > 0 {
			jobs, err := w.Pick(ctx, min(free, pickMax), Lease)
			if err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "no jobs picked, will be tried again", "work", w.Name, "error", err)
			}
			more = len(jobs) == pickMax
			for _, j := range jobs {
				start(j)
			}
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		}
	}
	return nil
}
