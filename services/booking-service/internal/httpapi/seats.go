package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// heartbeat keeps a silent stream open through proxies.
const heartbeat = 15 * time.Second

var watchers = promauto.NewGauge(prometheus.GaugeOpts{Name: "seat_stream_watchers", Help: "Open seat streams."})

type snapshotJSON struct {
	EventID uuid.UUID   `json:"event_id"`
	Version int64       `json:"version"`
	Blocks  []blockJSON `json:"blocks"`
}

type blockJSON struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
	States  string `json:"states"`
}

func (a *api) sale(r *http.Request) (*booking.Sale, error) {
	id, err := httpapi.PathUUID(r, "id", "This event")
	if err != nil {
		return nil, err
	}
	sale, err := a.service.Sale(r.Context(), id)
	if err == nil && sale == nil {
		err = problem.NotFound("A sale of this event")
	}
	return sale, explain(err)
}

func snapshot(sale *booking.Sale) snapshotJSON {
	version, blocks := sale.Snapshot()
	out := snapshotJSON{EventID: sale.Event().ID(), Version: version, Blocks: make([]blockJSON, len(blocks))}
	for i, b := range blocks {
		out.Blocks[i] = blockJSON{strconv.Itoa(b.Block), b.Version, b.States}
	}
	return out
}

func (a *api) seats(w http.ResponseWriter, r *http.Request) error {
	sale, err := a.sale(r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if etag := tag(sale.Version()); matches(r.Header.Get("If-None-Match"), etag) {
		h.Set("ETag", etag)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	snap := snapshot(sale)
	h.Set("ETag", tag(snap.Version))
	return httpapi.WriteJSON(w, http.StatusOK, snap)
}

// tag is strong: every version of the sale is one picture of its seats.
func tag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

func matches(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		if c := strings.TrimPrefix(strings.TrimSpace(candidate), "W/"); c == etag || c == "*" {
			return true
		}
	}
	return false
}

// stream sends the sale's changes as server-sent events. An event's id is
// "<process>.<number>": continued only by the process that gave it, else the
// stream begins with a snapshot.
func (a *api) stream(w http.ResponseWriter, r *http.Request) error {
	sale, err := a.sale(r)
	if err != nil {
		return err
	}
	since := int64(-1)
	if epoch, n, ok := strings.Cut(r.Header.Get("Last-Event-ID"), "."); ok && epoch == a.epoch {
		if since, err = strconv.ParseInt(n, 10, 64); err != nil {
			since = -1
		}
	}
	rc := http.NewResponseController(w)
	if err := rc.SetWriteDeadline(time.Time{}); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	watcher, at, continued := sale.Watchers.Watch(since)
	defer watcher.Stop()
	watchers.Inc()
	defer watchers.Dec()

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	var buf bytes.Buffer
	fmt.Fprint(&buf, "retry: 1000\n\n")
	if !continued {
		data, err := json.Marshal(snapshot(sale))
		if err != nil {
			return err
		}
		fmt.Fprintf(&buf, "event: snapshot\nid: %s.%d\ndata: %s\n\n", a.epoch, at, data)
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		// A client that reads nothing for this long is gone.
		if err := rc.SetWriteDeadline(time.Now().Add(2 * heartbeat)); err != nil {
			return nil
		}
		if _, err := w.Write(buf.Bytes()); err != nil {
			return nil
		}
		if err := rc.Flush(); err != nil {
			return nil
		}
		buf.Reset()
		select {
		case <-r.Context().Done():
			return nil
		case <-a.closing:
			return nil
		case <-beat.C:
			buf.WriteString(": heartbeat\n\n")
		case d, ok := <-watcher.C:
			if !ok {
				return nil // fell behind; the client comes back and continues
			}
			buf.Write(d.Encode(a.encode))
			for more := len(watcher.C); more > 0; more-- {
				if d, ok := <-watcher.C; ok {
					buf.Write(d.Encode(a.encode))
				}
			}
		}
	}
}

type deltaJSON struct {
	Block   string            `json:"block"`
	Version int64             `json:"version"`
	Seats   map[string]string `json:"seats"`
}

func (a *api) encode(d *booking.Delivery) []byte {
	out := deltaJSON{Block: strconv.Itoa(d.Block), Version: d.Version, Seats: make(map[string]string, len(d.Seats))}
	for _, s := range d.Seats {
		out.Seats[booking.SeatID{Block: d.Block, Index: s.Index}.String()] = s.State.String()
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, "event: delta\nid: %s.%d\ndata: %s\n\n", a.epoch, d.Seq, data)
}
