package eventlog

import (
	"context"
	"log/slog"
)

// maybeSnapshot writes a snapshot in the background if this replica owns the
// log and at least entries entries have been added since the last one.
func (l *eventLog) maybeSnapshot(entries int64) {
	if l.state.Seq-l.snapshot < entries || l.broken != nil || !l.owned() {
		return
	}
	l.snapshot = l.state.Seq // don't start another meanwhile
	l.engine.loops.Go(func() {
		// The loop may have advanced: then this is the snapshot of a later
		// entry.
		l.mu.RLock()
		frozen, seq := l.state.Freeze(), l.state.Seq
		l.mu.RUnlock()
		data, err := frozen.Encode()
		if err == nil {
			ctx, cancel := context.WithTimeout(l.engine.ctx, 4*storeTimeout)
			defer cancel()
			err = l.engine.store.SaveSnapshot(ctx, l.id, seq, data)
		}
		if err != nil {
			slog.Warn("save snapshot failed", "event", l.id, "seq", seq, "error", err)
		}
		select {
		case l.snapshotting <- seq:
		default:
		}
	})
}
