package payment

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// pickEvery is the poll interval for jobs that were not given: those of a
	// process that died, and those due again.
	pickEvery = 500 * time.Millisecond
	// parallel limits concurrent jobs: a call to the provider may hang for a
	// second.
	parallel = 128
	pickMax  = 64
	// maxGiven limits the queue of given jobs.
	maxGiven = 4096
)

// Worker runs the jobs it is given and the due jobs it picks, concurrently.
type Worker[J any] struct {
	// Name is the name of the work in logs.
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

// Add hands the worker a job that the caller has leased. If the queue is full,
// the job is picked when its lease ends.
func (w *Worker[J]) Add(j J) {
	w.init()
	select {
	case w.given <- j:
	default:
	}
}

// Wake makes the worker pick jobs now.
func (w *Worker[J]) Wake() {
	w.init()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends. Running jobs are finished.
func (w *Worker[J]) Run(ctx context.Context) error {
	w.init()
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	defer wg.Wait()
	start := func(j J) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			// A running job is finished even if the process is stopping.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Lease)
			defer cancel()
			if err := w.Do(ctx, j); err != nil {
				slog.WarnContext(ctx, "job failed, retrying", "work", w.Name, "error", err)
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
				slog.WarnContext(ctx, "pick jobs failed, retrying", "work", w.Name, "error", err)
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
