package eventlog

import (
	"sync"

	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// Delivery is what one entry changed of the seats, for those who watch.
type Delivery struct {
	// Seq is the entry's.
	Seq   int64
	Seats []booking.SeatChange
	// Plan has the seats.
	Plan *booking.Plan

	once    sync.Once
	encoded []byte
}

// Encode returns what encode makes of the delivery; it is called once however
// many watch.
func (d *Delivery) Encode(encode func(*Delivery) []byte) []byte {
	d.once.Do(func() { d.encoded = encode(d) })
	return d.encoded
}

const (
	// remembered deliveries let a watcher continue where it broke off.
	remembered = 2048
	// backlog of a watcher; one that falls further behind is cut off.
	backlog = 1024
)

// hub hands every change of a log to its watchers.
type hub struct {
	mu sync.Mutex
	// first is the sequence number from which on all deliveries are in recent.
	first    int64
	seq      int64
	recent   []*Delivery
	watchers map[*Watcher]struct{}
}

// Watcher receives deliveries on C, which is closed when it has fallen behind.
type Watcher struct {
	C   chan *Delivery
	hub *hub
}

// start forgets all deliveries up to seq.
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

// watch returns a watcher of all deliveries after entry since, those missed
// included; continued is false, and the watcher starts now, when they are not
// remembered.
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
