package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// heartbeat is the interval of comments that keep an idle stream open through
// proxies.
const heartbeat = 15 * time.Second

// snapshot returns the seats of the event in the path, as known to this
// replica.
func (a *api) snapshot(r *http.Request) (out rest.Availability, err error) {
	id, err := httpapi.PathUUID(r, "id", "This event")
	if err != nil {
		return out, err
	}
	found, err := a.event(r.Context(), id, func(s *booking.State) {
		blocks := s.Blocks()
		out = rest.Availability{EventID: id, Version: s.Seq, Blocks: make([]rest.BlockStates, len(blocks))}
		for i, b := range blocks {
			out.Blocks[i] = rest.BlockStates{ID: strconv.Itoa(b.Block), Version: s.Seq, States: b.States}
		}
	})
	if err == nil && !found {
		err = problem.NotFound("The sale of this event")
	}
	return out, explain(err)
}

func (a *api) seats(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This event")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	var seq int64
	found, err := a.event(r.Context(), id, func(s *booking.State) { seq = s.Seq })
	if err != nil {
		return explain(err)
	}
	if found && httpapi.ETagMatches(r.Header.Get("If-None-Match"), tag(seq)) {
		h.Set("ETag", tag(seq))
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	snap, err := a.snapshot(r)
	if err != nil {
		return err
	}
	h.Set("ETag", tag(snap.Version))
	return httpapi.WriteJSON(w, http.StatusOK, snap)
}

// tag returns a strong ETag: a log position identifies one state of the seats.
func tag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// stream sends the changes of an event's seats as server-sent events to a
// gateway, which passes them on to all watchers. An event's id is the log
// position, so that any replica can continue the stream. A replica that no
// longer has the missed changes begins with a snapshot.
func (a *api) stream(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This event")
	if err != nil {
		return err
	}
	found, err := a.event(r.Context(), id, func(*booking.State) {})
	if err == nil && !found {
		err = problem.NotFound("The sale of this event")
	}
	if err != nil {
		return explain(err)
	}
	since, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		since = -1
	}
	rc := http.NewResponseController(w)
	if err := rc.SetWriteDeadline(time.Time{}); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	watcher, continued, err := a.engine.Watch(r.Context(), eventlog.IDOf(id), since)
	if err != nil {
		return explain(err)
	}
	defer watcher.Stop()

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	var buf bytes.Buffer
	if continued {
		// This tells the gateway at once that no snapshot will come.
		fmt.Fprintf(&buf, "id: %d\n\n", since)
	} else {
		// Taken after the watch has begun: changes it already includes are
		// skipped below.
		snap, err := a.snapshot(r)
		if err != nil {
			return err
		}
		data, err := json.Marshal(snap)
		if err != nil {
			return err
		}
		fmt.Fprintf(&buf, "event: snapshot\nid: %d\ndata: %s\n\n", snap.Version, data)
		since = snap.Version
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		if !send(rc, w, &buf) {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-a.closing:
			return nil
		case <-beat.C:
			buf.WriteString(": heartbeat\n\n")
		case d, ok := <-watcher.C:
			if !ok {
				return nil // fell behind; the client reconnects and resumes
			}
			for more := len(watcher.C); ok; more-- {
				if d.Seq > since {
					buf.Write(d.Encode(encode))
				}
				if more == 0 {
					break
				}
				d, ok = <-watcher.C
			}
		}
	}
}

// send sends what is buffered, if anything, to the client of a stream. It
// returns false if the client is gone.
func send(rc *http.ResponseController, w http.ResponseWriter, buf *bytes.Buffer) bool {
	if buf.Len() == 0 {
		return true
	}
	// A client that reads nothing for this long is considered gone.
	if rc.SetWriteDeadline(time.Now().Add(2*heartbeat)) != nil {
		return false
	}
	if _, err := w.Write(buf.Bytes()); err != nil {
		return false
	}
	buf.Reset()
	return rc.Flush() == nil
}

// encode writes one delta per block. Only the last one carries the id, so that
// a stream that is interrupted in between resumes with all of them.
func encode(d *eventlog.Delivery) []byte {
	var order []int
	byBlock := map[int]map[string]rest.SeatState{}
	for _, change := range d.Seats {
		id := d.Plan.SeatID(change.Position)
		if byBlock[id.Block] == nil {
			byBlock[id.Block] = map[string]rest.SeatState{}
			order = append(order, id.Block)
		}
		byBlock[id.Block][id.String()] = rest.SeatState(change.State.String())
	}
	var out []byte
	for i, block := range order {
		data, err := json.Marshal(rest.AvailabilityDelta{Block: strconv.Itoa(block), Version: d.Seq, Seats: byBlock[block]})
		if err != nil {
			return nil
		}
		out = append(out, "event: delta\n"...)
		if i == len(order)-1 {
			out = fmt.Appendf(out, "id: %d\n", d.Seq)
		}
		out = fmt.Appendf(out, "data: %s\n\n", data)
	}
	return out
}
