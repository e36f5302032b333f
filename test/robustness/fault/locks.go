package fault

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// locks lets only one fault at a time affect a process or a link: two faults
// that stop and start the same process would heal each other.
type locks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed on release
}

// lock waits until all names are free, and returns a function that releases
// them.
func (h *locks) lock(ctx context.Context, names ...string) (free func(), err error) {
	for {
		busy, free := h.tryLock(names)
		if free != nil {
			return free, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another fault on %v to end: %w", names, ctx.Err())
		}
	}
}

func (h *locks) tryLock(names []string) (busy <-chan struct{}, free func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range names {
		if other, held := h.held[name]; held {
			return other, nil
		}
	}
	mine := make(chan struct{})
	if h.held == nil {
		h.held = map[string]chan struct{}{}
	}
	names = slices.Clone(names)
	for _, name := range names {
		h.held[name] = mine
	}
	return nil, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, name := range names {
			delete(h.held, name)
		}
		close(mine)
	}
}
