package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/queue/history"
)

// Watcher follows an event's queue as a browser does: when the stream ends, it
// reconnects.
type Watcher struct {
	Client   *client.Client
	EventID  string
	Recorder *history.Recorder
	// Stream names the watcher in the history.
	Stream int
	// Frame is called with each frame.
	Frame func(client.Queue)
}

// Watch watches until ctx ends. It returns an error if a frame can't be decoded.
func (w *Watcher) Watch(ctx context.Context) error {
	last := ""
	for ctx.Err() == nil {
		events, err := w.Client.QueueStream(ctx, w.EventID, last)
		if err != nil {
			clock.Sleep(ctx, 500*time.Millisecond)
			continue
		}
		for event := range events {
			if event.Event != "snapshot" {
				continue
			}
			var q client.Queue
			if err := json.Unmarshal([]byte(event.Data), &q); err != nil {
				return fmt.Errorf("decode frame %s of the queue: %w", event.ID, err)
			}
			last = event.ID
			w.Recorder.AddFrame(history.Frame{Stream: w.Stream, At: w.Recorder.Now(), Queue: q})
			w.Frame(q)
		}
		clock.Sleep(ctx, 100*time.Millisecond)
	}
	return nil
}
