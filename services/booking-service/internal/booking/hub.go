package booking

import "sync"

// StateChange is a seat's new state.
type StateChange struct {
	Index int
	State State
}

// Delivery is one change of a block's states, for those who watch the sale.
type Delivery struct {
	// Seq counts the deliveries of this replica's picture of the sale from 1.
	Seq     int64
	Block   int
	Version int64
	Seats   []StateChange

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
	remembered = 4096
	// backlog of a watcher; one that falls further behind is cut off.
	backlog = 1024
)

// Hub hands every change of a sale to its watchers.
type Hub struct {
	mu       sync.Mutex
	seq      int64
	ring     [remembered]*Delivery
	watchers map[*Watcher]struct{}
}

// Watcher receives deliveries on C, which is closed when it has fallen behind.
type Watcher struct {
	C   chan *Delivery
	hub *Hub
}

func newHub() *Hub { return &Hub{watchers: map[*Watcher]struct{}{}} }

func (h *Hub) publish(block int, version int64, seats []StateChange) {
	if len(seats) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	d := &Delivery{Seq: h.seq, Block: block, Version: version, Seats: seats}
	h.ring[h.seq%remembered] = d
	for w := range h.watchers {
		select {
		case w.C <- d:
		default:
			delete(h.watchers, w)
			close(w.C)
		}
	}
}

// Watch returns a watcher of all deliveries after the last one with number
// since, those missed included; continued is false, and the watcher starts
// now, when they are no longer remembered. at is the newest number so far.
func (h *Hub) Watch(since int64) (w *Watcher, at int64, continued bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w = &Watcher{C: make(chan *Delivery, backlog), hub: h}
	h.watchers[w] = struct{}{}
	missed := h.seq - since
	if since < 0 || missed < 0 || missed > backlog || missed >= remembered {
		return w, h.seq, false
	}
	for n := since + 1; n <= h.seq; n++ {
		w.C <- h.ring[n%remembered]
	}
	return w, h.seq, true
}

// Watchers returns how many watch.
func (h *Hub) Watchers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watchers)
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
