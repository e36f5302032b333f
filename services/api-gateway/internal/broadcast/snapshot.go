package broadcast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

const (
	// snapshotTimeout limits a snapshot fetch, which several watchers may share.
	snapshotTimeout = 10 * time.Second
	// maxSnapshots is how many snapshots are fetched for a watcher before giving up on one that the
	// history can continue.
	maxSnapshots = 3
	// maxSnapshotLag is how many bytes may follow a snapshot before a new one is fetched.
	maxSnapshotLag = 64 << 10
)

// Start is the position from which a watcher begins.
type Start struct {
	data  []byte
	since int64
}

// Start returns where a watcher that has everything up to since begins: there, or with a snapshot.
// Errors: a *Refusal, ctx's error, or a problem.
func (f *Feed) Start(ctx context.Context, since int64) (Start, error) {
	for range maxSnapshots {
		f.mu.Lock()
		covered, snap := f.history.covers(since), f.snapshot
		recent := snap.id >= f.history.from && f.history.sizeAfter(snap.id) <= maxSnapshotLag
		f.mu.Unlock()
		if covered {
			return Start{since: since}, nil
		}
		if recent {
			return Start{snap.data, snap.id}, nil
		}
		fetched := f.snapshots.DoChan("", func() (any, error) { return nil, f.fetchSnapshot() })
		select {
		case <-ctx.Done():
			return Start{}, ctx.Err()
		case got := <-fetched:
			if got.Err != nil {
				return Start{}, got.Err
			}
		}
	}
	return Start{}, problem.Unavailable(errors.New("no snapshot is recent enough for the stream"))
}

// fetchSnapshot stores a current snapshot for late watchers.
func (f *Feed) fetchSnapshot() error {
	ctx, cancel := context.WithTimeout(f.ctx, snapshotTimeout)
	defer cancel()
	resp, err := f.hub.snapshot(ctx, f.event, "")
	if ctx.Err() != nil {
		err = problem.Unavailable(ctx.Err())
	}
	if err != nil {
		return err
	}
	if resp.Status != http.StatusOK {
		return refusal(resp)
	}
	defer resp.Close()
	body, whole, err := resp.ReadAll(maxFrame)
	if err != nil || !whole {
		return problem.Unavailable(fmt.Errorf("read snapshot: %w", err))
	}
	var state struct {
		Version int64 `json:"version"`
	}
	if err := json.Unmarshal(body, &state); err != nil {
		return fmt.Errorf("parse snapshot: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if state.Version > f.snapshot.id {
		f.snapshot = entry{id: state.Version, data: snapshotFrame(state.Version, body)}
	}
	return nil
}
