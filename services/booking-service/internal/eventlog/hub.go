package eventlog

import (
	"sync"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// Delivery holds one entry's seat changes, for watchers.
type Delivery struct {
	// Seq is the entry's sequence number.
	Seq   int64
	Seats []booking.SeatChange
	// Plan is the seat plan.
	Plan *booking.Plan

	once    sync.Once
	encoded []byte
}

// Encode returns encode's result for the delivery. encode is called only once,
// for all watchers.
func (d *Delivery) Encode(encode func(*Delivery) []byte) []byte {
	d.once.Do(func() { d.encoded = encode(d) })
	return d.encoded
}

const (
	// remembered is the number of recent deliveries from which a watcher can
	// resume.
	remembered = 2048
	// backlog is a watcher's queue size. A watcher that falls further behind is
	// cut off.
	backlog = 1024
)

// hub delivers every change of a log to its watchers.
type hub struct {
	mu sync.Mutex
	// first is the sequence number after which all deliveries are in recent.
	first    int64
	seq      int64
	recent   []*Delivery
	watchers map[*Watcher]struct{}
}

// Watcher receives deliveries on C, which is closed if the watcher falls
// behind.
type Watcher struct {
	C   chan *Delivery
	hub *hub
}

// start discards all deliveries up to seq.
func (h *hub) start(seq int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.first, h.seq, h.recent = seq, seq, nil
}

func (h *hub) publish(d *Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq = d.Seq
	if len(d.Seats) == 0 {
		return
	}
	if len(h.recent) == 2*remembered {
		h.first = h.recent[remembered-1].Seq
		h.recent = append([]*Delivery(nil), h.recent[remembered:]...)
	}
	h.recent = append(h.recent, d)
	for w := range h.watchers {
		select {
		case w.C <- d:
		default:
			delete(h.watchers, w)
			close(w.C)
		}
	}
}

// watch returns a watcher of all deliveries after entry since, including missed
// ones. If those are no longer in memory, continued is false and the watcher
// starts now.
func (h *hub) watch(since int64) (w *Watcher, continued bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w = &Watcher{C: make(chan *Delivery, backlog), hub: h}
	h.watchers[w] = struct{}{}
	if since < h.first || since > h.seq {
		return w, false
	}
	n := len(h.recent)
	for n > 0 && h.recent[n-1].Seq > since {
		n--
	}
	if len(h.recent)-n > backlog {
		return w, false
	}
	for _, d := range h.recent[n:] {
		w.C <- d
	}
	return w, true
}

func (h *hub) watched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watchers) > 0
}

// Stop ends the watch.
func (w *Watcher) Stop() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	if _, ok := w.hub.watchers[w]; ok {
		delete(w.hub.watchers, w)
		close(w.C)
	}
}
