package booking

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// Delta is what one committed round did to the seats of a block.
type Delta struct {
	BlockID
	// Version the block has after it.
	Version int64
	Seats   []SeatDelta
	// Origin is the replica that committed it.
	Origin string
}

// SeatDelta is a seat's new row.
type SeatDelta struct {
	Index int
	Seat  Seat
}

// Inventory is a replica's picture of all seats on sale, in memory: fed by what
// it commits itself and by the other replicas' deltas, corrected from the
// store. It decides nothing; the store does.
type Inventory struct {
	store Store

	mu    sync.RWMutex
	sales map[uuid.UUID]*Sale
}

// Sale is one event's seats.
type Sale struct {
	// Watchers get every change of a seat's state.
	Watchers *Hub

	event  atomic.Pointer[Event]
	blocks []*block
}

type block struct {
	id BlockID

	mu      sync.Mutex
	version int64
	seats   []Seat
	// claimed seats are chosen by a hold of this replica that is under way.
	claimed map[int]bool
	// earliest is before the deadline of every hold; 0 when it is not known.
	earliest int64
	// free counts the available seats of each ticket type.
	free []int
	// stored is the version that the store had when it was last asked.
	stored int64
	// refreshing is set while a correction from the store is under way.
	refreshing bool
}

// NewInventory returns an empty inventory over a store.
func NewInventory(store Store) *Inventory {
	return &Inventory{store: store, sales: map[uuid.UUID]*Sale{}}
}

// Sale returns an event's seats, nil when the event is not known here.
func (inv *Inventory) Sale(event uuid.UUID) *Sale {
	inv.mu.RLock()
	defer inv.mu.RUnlock()
	return inv.sales[event]
}

// Sales returns all sales.
func (inv *Inventory) Sales() []*Sale {
	inv.mu.RLock()
	defer inv.mu.RUnlock()
	all := make([]*Sale, 0, len(inv.sales))
	for _, s := range inv.sales {
		all = append(all, s)
	}
	return all
}

// Event returns the sale's event as it is defined now.
func (s *Sale) Event() *Event { return s.event.Load() }

// Load takes in an event's definition, and reads its blocks when it is new.
func (inv *Inventory) Load(ctx context.Context, e *Event) error {
	if sale := inv.Sale(e.ID()); sale != nil {
		sale.redefine(e)
		return nil
	}
	sale, err := inv.read(ctx, e)
	if err != nil {
		return err
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if inv.sales[e.ID()] == nil {
		inv.sales[e.ID()] = sale
	}
	return nil
}

// read reads an event's blocks.
func (inv *Inventory) read(ctx context.Context, e *Event) (*Sale, error) {
	sale := &Sale{Watchers: newHub(), blocks: make([]*block, e.BlockCount())}
	sale.event.Store(e)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range sale.blocks {
		b := &block{id: BlockID{e.ID(), i + 1}, claimed: map[int]bool{}}
		sale.blocks[i] = b
		group.Go(func() error {
			read, err := inv.store.ReadBlock(ctx, b.id)
			if err != nil {
				return err
			}
			if len(read.Seats) != len(e.plan[i].ticket) {
				return fmt.Errorf("event %s, block %d: %d seats stored, %d planned", e.ID(), i+1, len(read.Seats), len(e.plan[i].ticket))
			}
			b.version, b.seats = read.Version, read.Seats
			b.count(e)
			return nil
		})
	}
	return sale, group.Wait()
}

// redefine takes in a newer definition: other prices, another sale window. The
// seat plan and the ticket types' categories stay.
func (s *Sale) redefine(e *Event) {
	for {
		old := s.event.Load()
		if e.Version <= old.Version {
			return
		}
		if s.event.CompareAndSwap(old, e) {
			break
		}
	}
	for _, b := range s.blocks {
		b.mu.Lock()
		b.count(s.event.Load())
		b.mu.Unlock()
	}
}

// Forget drops an event that is long over.
func (inv *Inventory) Forget(event uuid.UUID) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	delete(inv.sales, event)
}

func (inv *Inventory) block(id BlockID) (*Sale, *block) {
	sale := inv.Sale(id.Event)
	if sale == nil || id.Block < 1 || id.Block > len(sale.blocks) {
		return nil, nil
	}
	return sale, sale.blocks[id.Block-1]
}

// version returns a block's version as far as it is known here, else 0.
func (inv *Inventory) version(id BlockID) int64 {
	_, b := inv.block(id)
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.version
}

// Apply takes in a committed round. A gap, or an event not known here, is
// filled from the store.
func (inv *Inventory) Apply(d Delta) {
	sale, b := inv.block(d.BlockID)
	if b == nil {
		return
	}
	b.mu.Lock()
	if d.Version != b.version+1 {
		stale := d.Version > b.version && !b.refreshing
		if stale {
			b.refreshing = true
		}
		b.mu.Unlock()
		if stale {
			go inv.catchUp(sale, b)
		}
		return
	}
	changed := b.apply(sale, d)
	b.mu.Unlock()
	sale.Watchers.publish(d.Block, d.Version, changed)
}

// apply must be called with b.mu held; it returns the seats whose state is new.
func (b *block) apply(sale *Sale, d Delta) []StateChange {
	e := sale.Event()
	b.version = d.Version
	var changed []StateChange
	for _, s := range d.Seats {
		old := b.seats[s.Index].State
		b.seats[s.Index] = s.Seat
		if s.Seat.State == HeldSeat {
			b.earliest = min(b.earliest, s.Seat.Deadline)
		}
		if old != s.Seat.State {
			b.recount(e, s.Index, old, s.Seat.State)
			changed = append(changed, StateChange{s.Index, s.Seat.State})
		}
	}
	return changed
}

func (b *block) recount(e *Event, index int, from, to State) {
	t := e.plan[b.id.Block-1].ticket[index]
	if t < 0 {
		return
	}
	if from == Available {
		b.free[t]--
	}
	if to == Available {
		b.free[t]++
	}
}

func (b *block) count(e *Event) {
	b.free = make([]int, len(e.TicketTypes))
	for i, s := range b.seats {
		if t := e.plan[b.id.Block-1].ticket[i]; t >= 0 && s.State == Available {
			b.free[t]++
		}
	}
}

func (inv *Inventory) catchUp(sale *Sale, b *block) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := inv.refresh(ctx, sale, b); err != nil {
		slog.Warn("a block could not be read again; the next round of corrections will", "event", b.id.Event, "block", b.id.Block, "error", err)
	}
	b.mu.Lock()
	b.refreshing = false
	b.mu.Unlock()
}

// Refresh reads a block from the store again.
func (inv *Inventory) Refresh(ctx context.Context, id BlockID) error {
	sale, b := inv.block(id)
	if b == nil {
		return nil
	}
	return inv.refresh(ctx, sale, b)
}

func (inv *Inventory) refresh(ctx context.Context, sale *Sale, b *block) error {
	read, err := inv.store.ReadBlock(ctx, b.id)
	if err != nil {
		return err
	}
	b.mu.Lock()
	if read.Version <= b.version || len(read.Seats) != len(b.seats) {
		b.mu.Unlock()
		return nil
	}
	d := Delta{BlockID: b.id, Version: read.Version}
	for i, s := range read.Seats {
		if s != b.seats[i] {
			d.Seats = append(d.Seats, SeatDelta{i, s})
		}
	}
	changed := b.apply(sale, d)
	b.mu.Unlock()
	sale.Watchers.publish(d.Block, d.Version, changed)
	return nil
}

// Correct compares all blocks of a sale with the store and reads those again
// that had moved on by the last time, and are unheard of since: most deltas are
// only on their way.
func (inv *Inventory) Correct(ctx context.Context, sale *Sale) error {
	versions, err := inv.store.ReadVersions(ctx, sale.Event().ID(), len(sale.blocks))
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, b := range sale.blocks {
		b.mu.Lock()
		behind := b.version < b.stored
		b.stored = versions[i]
		b.mu.Unlock()
		if behind {
			group.Go(func() error { return inv.refresh(ctx, sale, b) })
		}
	}
	return group.Wait()
}

// Counts returns how many seats of the sale are in each state.
func (s *Sale) Counts() (available, held, sold, blocked int) {
	var n [4]int
	for _, b := range s.blocks {
		b.mu.Lock()
		for _, seat := range b.seats {
			n[seat.State]++
		}
		b.mu.Unlock()
	}
	return n[Available], n[HeldSeat], n[Sold], n[Blocked]
}

// countsByType returns how many seats are in each state, in all and of each
// ticket type of e, a definition of the sale's event.
func (s *Sale) countsByType(e *Event) (all SeatCounts, byType []SeatCounts) {
	byType = make([]SeatCounts, len(e.TicketTypes))
	for _, b := range s.blocks {
		tickets := e.plan[b.id.Block-1].ticket
		b.mu.Lock()
		for i, seat := range b.seats {
			all.add(seat.State)
			if t := tickets[i]; t >= 0 {
				byType[t].add(seat.State)
			}
		}
		b.mu.Unlock()
	}
	return all, byType
}

// BlockSnapshot is a block as buyers see it.
type BlockSnapshot struct {
	Block   int
	Version int64
	// States has one letter a seat, by index.
	States string
}

// Snapshot returns all blocks, and the sum of their versions, which grows with
// every change.
func (s *Sale) Snapshot() (version int64, blocks []BlockSnapshot) {
	blocks = make([]BlockSnapshot, len(s.blocks))
	for i, b := range s.blocks {
		b.mu.Lock()
		states := make([]byte, len(b.seats))
		for j, seat := range b.seats {
			states[j] = seat.State.Letter()
		}
		blocks[i] = BlockSnapshot{b.id.Block, b.version, string(states)}
		b.mu.Unlock()
		version += blocks[i].Version
	}
	return version, blocks
}

// Version returns the sum of the blocks' versions.
func (s *Sale) Version() (version int64) {
	for _, b := range s.blocks {
		b.mu.Lock()
		version += b.version
		b.mu.Unlock()
	}
	return version
}

// Overdue is a hold whose deadline has passed, as seen in one block.
type Overdue struct {
	Ref
	Block    int
	Indexes  []int
	Deadline int64
}

// overdue returns the holds in b whose deadline is before now (Unix ms).
func (b *block) overdue(now int64) []Overdue {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now < b.earliest {
		return nil
	}
	var found []Overdue
	at := map[uuid.UUID]int{}
	b.earliest = math.MaxInt64
	for i, s := range b.seats {
		if s.State != HeldSeat {
			continue
		}
		b.earliest = min(b.earliest, s.Deadline)
		if s.Deadline > now {
			continue
		}
		n, ok := at[s.Owner]
		if !ok {
			n = len(found)
			at[s.Owner] = n
			found = append(found, Overdue{
				Ref:   Ref{BlockID{b.id.Event, int(s.Home)}, s.Owner},
				Block: b.id.Block, Deadline: s.Deadline,
			})
		}
		found[n].Indexes = append(found[n].Indexes, i)
	}
	return found
}

// seat returns a seat as known here.
func (s *Sale) seat(id SeatID) Seat {
	b := s.blocks[id.Block-1]
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seats[id.Index]
}
