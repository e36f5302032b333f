package booking_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// What follows shows things without what differs between two runs of the same
// schedule: ids that are drawn at random.

var digestSeed = maphash.MakeSeed()

func digest(before uint64, parts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(digestSeed)
	maphash.WriteComparable(&h, before)
	for _, p := range parts {
		_, _ = h.WriteString(p)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

type actorKey struct{}

func actorOf(ctx context.Context) string {
	if name, ok := ctx.Value(actorKey{}).(string); ok {
		return "(" + name + ") "
	}
	return ""
}

// name returns a booking's name; s.mu must be held.
func (s *simulation) name(id uuid.UUID) string {
	switch name := s.names[id]; {
	case id == uuid.Nil:
		return "-"
	case name != "":
		return name
	}
	return id.String()
}

func (s *simulation) nameOf(id uuid.UUID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name(id)
}

// ms is a moment since the simulation began.
func (s *simulation) ms(unix int64) int64 {
	if unix == 0 {
		return 0
	}
	return unix - s.began
}

func (s *simulation) showSeat(seat booking.Seat) string {
	return fmt.Sprintf("%s/%s/%d/%d", s.nameOf(seat.Owner), seat.State, s.ms(seat.Deadline), seat.Home)
}

func (s *simulation) showBlock(b booking.Block) string {
	var text strings.Builder
	fmt.Fprintf(&text, "v%d", b.Version)
	for _, seat := range b.Seats {
		text.WriteString(" " + s.showSeat(seat))
	}
	return text.String()
}

func (s *simulation) showMessage(m booking.Message) string {
	if m.Type == events.TypeBookingCreated {
		return "created"
	}
	var cancelled events.BookingCancelled
	if json.Unmarshal(m.Data, &cancelled) != nil {
		return m.Type
	}
	return string(cancelled.Reason)
}

func (s *simulation) showRecord(r booking.Record) string {
	if r.Revision == 0 {
		return "no row"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s r%d %s %s until %d updated %d", s.nameOf(r.ID), r.Revision, r.Status, r.Reason,
		s.ms(r.ExpiresAt.UnixMilli()), s.ms(r.UpdatedAt.UnixMilli()))
	for _, seat := range r.Seats {
		text.WriteString(" " + seat.ID.String())
	}
	if r.Payment != nil {
		fmt.Fprintf(&text, " payment %d %s", r.Payment.ID[15], r.Payment.Status)
	}
	for _, m := range r.Outbox {
		text.WriteString(" !" + s.showMessage(m))
	}
	return text.String()
}

func (s *simulation) showChanges(changes []booking.Change) string {
	var all []string
	for _, ch := range changes {
		var parts []string
		for _, c := range ch.Seats {
			parts = append(parts, fmt.Sprintf("seat %d %s→%s", c.Index, s.nameOf(c.From), s.showSeat(c.To)))
		}
		if ch.Booking != nil {
			parts = append(parts, fmt.Sprintf("row r%d→%s", ch.Booking.From, s.showRecord(ch.Booking.To)))
		}
		all = append(all, "{"+strings.Join(parts, "; ")+"}")
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

func (s *simulation) showCurrent(c booking.Current) string {
	var text strings.Builder
	fmt.Fprintf(&text, "v%d", c.Version)
	for _, i := range slices.Sorted(maps.Keys(c.Owners)) {
		fmt.Fprintf(&text, " %d:%s", i, s.nameOf(c.Owners[i]))
	}
	var rows []string
	for id, revision := range c.Revisions {
		rows = append(rows, fmt.Sprintf(" %s:r%d", s.nameOf(id), revision))
	}
	slices.Sort(rows)
	return text.String() + strings.Join(rows, "")
}

// showStore is all that is stored.
func (s *simulation) showStore() string {
	var text strings.Builder
	for _, b := range s.stored() {
		text.WriteString(s.showBlock(b.Block) + "\n")
		for _, rec := range b.records {
			text.WriteString(s.showRecord(rec) + "\n")
		}
	}
	return text.String()
}

type storedBlock struct {
	booking.Block
	records []booking.Record
}

// stored reads all blocks, with the bookings in order of their names.
func (s *simulation) stored() []storedBlock {
	blocks := make([]storedBlock, len(s.def.Blocks))
	for i := range blocks {
		id := booking.BlockID{Event: s.def.EventID, Block: i + 1}
		blocks[i].Block, _ = s.store.ReadBlock(context.Background(), id)
		blocks[i].records, _ = s.store.ReadBookings(context.Background(), id)
		slices.SortFunc(blocks[i].records, func(a, b booking.Record) int {
			return strings.Compare(s.nameOf(a.ID), s.nameOf(b.ID))
		})
	}
	return blocks
}

// state is a digest of everything that decides what can come.
func (s *simulation) state() uint64 {
	parts := []string{s.showStore(), fmt.Sprint(s.answers, s.faults, s.jumps, s.ms(s.clock.Now().UnixMilli()))}
	for _, r := range []*replica{s.a, s.b} {
		parts = append(parts, fmt.Sprint(r.dead))
		if r.dead {
			continue
		}
		parts = append(parts, r.name+fmt.Sprint(r.mayCrash, r.serving)+r.memory())
		for _, p := range r.published {
			parts = append(parts, p.label)
		}
		for i, o := range r.settled {
			parts = append(parts, fmt.Sprint(r.name, i, s.showOutcome(o)))
		}
	}
	for _, g := range s.late {
		parts = append(parts, g.label)
	}
	for _, c := range s.sorted() {
		parts = append(parts, c.label)
	}
	for seat, l := range s.locks {
		parts = append(parts, fmt.Sprint(seat, s.nameOf(l.booking), s.ms(l.until)))
	}
	for id := range s.ended {
		parts = append(parts, "ended "+s.nameOf(id))
	}
	slices.Sort(parts[2:])
	return digest(0, parts...)
}

func (s *simulation) showOutcome(o booking.LockOutcome) string {
	return fmt.Sprint(s.nameOf(o.Booking), o.Seats, o.State, o.Ended)
}
