package booking

import (
	"crypto/rand"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// queueRound has the changes that a round makes to the queue.
type queueRound struct {
	seeded, drawn bool
	// places has the places that the round changes, nil for those it removes.
	places map[uuid.UUID]*place
	// joined counts the numbers given out in each lane.
	joined [lanes]uint32
	// used counts the uses of invite codes.
	used     map[uint64]uint32
	devices  map[uint64]uuid.UUID
	networks map[uint64]int
	batches  map[uint64]uint64
	// control is the one that the round leaves, nil until it decides one.
	control *logpb.QueueControl
}

// changes returns the round's changes to the queue, to add to.
func (r *Round) changes() *queueRound {
	if r.queue == nil {
		r.queue = &queueRound{
			places: map[uuid.UUID]*place{}, used: map[uint64]uint32{}, devices: map[uint64]uuid.UUID{}, networks: map[uint64]int{},
			batches: map[uint64]uint64{},
		}
	}
	return r.queue
}

// place returns a user's place, or nil.
func (r *Round) place(user uuid.UUID) *place {
	if r.queue != nil {
		if p, ok := r.queue.places[user]; ok {
			return p
		}
	}
	if q := r.state.queue; q != nil {
		return q.places[user]
	}
	return nil
}

// seed opens the pre-queue if it is not open yet.
func (r *Round) seed(seed []byte) {
	if q := r.state.queue; r.changes().seeded || q != nil && q.seed != nil {
		return
	}
	if len(seed) == 0 {
		seed = make([]byte, 32)
		_, _ = rand.Read(seed) // it never fails
	}
	r.queue.seeded = true
	r.add(&logpb.Operation{Kind: &logpb.Operation_Seeded{Seeded: &logpb.Seeded{Seed: seed, At: r.at}}})
}

// draw draws the pre-queue if the sale has started.
func (r *Round) draw() {
	q := r.state.queue
	if q == nil || q.seed == nil || q.drawnAt > 0 || r.changes().drawn || r.state.Event.onSale(r.now) != "" {
		return
	}
	r.queue.drawn = true
	r.add(&logpb.Operation{Kind: &logpb.Operation_Drawn{Drawn: &logpb.Drawn{At: r.at}}})
}

// arrive decides what happens to a user who is here: the user joins, enters,
// rejoins, or keeps a place.
func (r *Round) arrive(c *logpb.Arrive) *logpb.Answer {
	e := r.state.Event
	if e == nil {
		return refuse(EventNotOnSale)
	}
	reason := e.onSale(r.now)
	switch {
	case reason == EventNotOnSale || reason == SaleEnded:
		return refuse(reason)
	case reason == SaleNotStarted && (!e.hasQueue() || r.now.Before(e.queueOpens()) || r.state.queue.stopped()):
		return refuse(QueueNotOpen)
	case reason == "" && !r.state.queueRequired(r.now):
		return &logpb.Answer{Place: &logpb.Place{User: c.GetUser(), Status: logpb.Place_NOT_NEEDED}}
	}
	r.draw()
	p := r.place(id(c.GetUser()))
	switch {
	case p != nil && p.status == logpb.Place_WAITING && (c.GetInvite() == 0 || p.lane != logpb.Lane_GENERAL), p.admitted(r.at):
		return &logpb.Answer{Place: p.encode()}
	case p != nil && p.status == logpb.Place_WAITING:
		return r.join(c, p, logpb.Lane_PRIORITY)
	case p != nil && p.status == logpb.Place_CALLED && r.at < p.until:
		return r.enter(p)
	case p != nil && p.status != logpb.Place_ENTERED:
		return r.join(c, p, logpb.Lane_RETURNING)
	case c.GetInvite() != 0:
		return r.join(c, nil, logpb.Lane_PRIORITY)
	}
	return r.join(c, nil, logpb.Lane_GENERAL)
}

// join gives the user the next number of a lane. old is the place to keep, or
// nil if the user has none.
func (r *Round) join(c *logpb.Arrive, old *place, to logpb.Lane) *logpb.Answer {
	q, changes := r.state.queue, r.changes()
	if q == nil {
		q = newQueue()
	}
	user := id(c.GetUser())
	p := &place{user: user, lane: to, joined: r.at, device: c.GetDevice(), network: c.GetNetwork()}
	if old != nil {
		p.joined, p.device, p.network, p.wish = old.joined, old.device, old.network, old.wish
	} else if reason := r.mayJoin(q, c); reason != "" {
		return refuse(reason)
	}
	op := &logpb.Joined{User: c.GetUser(), Lane: to, At: r.at, Device: p.device, Network: p.network}
	if to == logpb.Lane_PRIORITY {
		code := c.GetInvite()
		if q.invites[code] <= changes.used[code] {
			return refuse(InviteCodeInvalid)
		}
		changes.used[code]++
		op.Invite = code
	}
	r.seed(nil)
	changes.joined[to]++
	p.number = q.lanes[to].last + changes.joined[to]
	if q.drawnAt > 0 || changes.drawn {
		p.rank = p.number
	}
	p.wish = p.wish || r.state.SoldOut()
	changes.places[user] = p
	if old == nil {
		changes.devices[p.device] = user
		changes.networks[p.network]++
	}
	r.add(&logpb.Operation{Kind: &logpb.Operation_Joined{Joined: op}})
	return &logpb.Answer{Place: p.encode()}
}

// mayJoin returns why a user may not get a new place, or "".
func (r *Round) mayJoin(q *queue, c *logpb.Arrive) Reason {
	if !c.GetSolved() {
		return ChallengeFailed
	}
	changes, user := r.changes(), id(c.GetUser())
	if device := c.GetDevice(); device != 0 {
		owner, ok := changes.devices[device]
		if !ok {
			owner, ok = q.devices[device]
		}
		if ok && owner != user && r.place(owner) != nil {
			return DeviceInQueue
		}
	}
	if n := c.GetNetwork(); n != 0 && q.networks[n]+changes.networks[n] >= MaxPerNetwork {
		return NetworkLimit
	}
	return ""
}

func (r *Round) enter(p *place) *logpb.Answer {
	entered := *p
	entered.status, entered.until, entered.wish = logpb.Place_ENTERED, r.at+r.state.Event.admission(), false
	r.changes().places[p.user] = &entered
	r.add(&logpb.Operation{Kind: &logpb.Operation_Entered{Entered: &logpb.Entered{User: p.user[:], At: r.at, Until: entered.until}}})
	return &logpb.Answer{Place: entered.encode()}
}

func (r *Round) leave(c *logpb.Leave) *logpb.Answer {
	user := id(c.GetUser())
	if r.place(user) != nil {
		r.changes().places[user] = nil
		r.add(&logpb.Operation{Kind: &logpb.Operation_Left{Left: &logpb.Left{User: c.GetUser(), At: r.at}}})
	}
	return &logpb.Answer{}
}

// serve calls as many people as may shop, in the order of the lanes, and does
// what else is due. A command that is sent twice calls nobody twice: the
// people called before count as part of the crowd.
func (r *Round) serve(c *logpb.Serve) *logpb.Answer {
	e := r.state.Event
	if !r.state.LiveQueue(r.now) {
		return &logpb.Answer{}
	}
	if !r.now.Before(e.SaleEndsAt) {
		// The log grows, so that the streams tell everybody that the sale has ended.
		r.add(&logpb.Operation{Kind: &logpb.Operation_Served{Served: &logpb.Served{Serving: r.state.queue.serving(), At: r.at}}})
		return &logpb.Answer{}
	}
	r.seed(c.GetSeed())
	r.draw()
	q := r.state.queue
	if q == nil || r.changes().drawn {
		return &logpb.Answer{} // the order is known in the next round
	}
	if c.Active != nil && c.GetActive() != q.active && e.Queue.Mode == events.QueueAutomatic && q.drawnAt > 0 {
		r.add(&logpb.Operation{Kind: &logpb.Operation_Switched{Switched: &logpb.Switched{Active: c.GetActive(), At: r.at}}})
	}
	op := &logpb.Served{
		Serving: r.call(q, c), At: r.at, Crowd: c.GetCrowd(), Reason: c.GetReason(), HoldP99Ms: c.GetHoldP99Ms(),
		HoldsPerSecond: c.GetHoldsPerSecond(), Refused: c.GetRefused(),
	}
	if r.worth(q, op) {
		r.add(&logpb.Operation{Kind: &logpb.Operation_Served{Served: op}})
	}
	return &logpb.Answer{}
}

// serving returns the ranks up to which people have been called.
func (q *queue) serving() []uint32 {
	serving := make([]uint32, lanes)
	for n, l := range q.lanes {
		serving[n] = l.serving
	}
	return serving
}

// call returns the ranks up to which people are called.
func (r *Round) call(q *queue, c *logpb.Serve) []uint32 {
	serving := q.serving()
	if !r.state.queueRequired(r.now) || q.drawnAt == 0 || q.control.GetState() == paused {
		return serving
	}
	if available, _, _ := r.state.Counts(); available == 0 {
		return serving
	}
	people := r.state.crowd(r.at)
	room := min(int(c.GetCrowd())-people.Called-people.Shopping, int(c.GetMost()))
	for n := range q.lanes {
		for l := &q.lanes[n]; room > 0 && serving[n] < l.last; serving[n]++ {
			if l.members[serving[n]] != uuid.Nil {
				room--
			}
		}
	}
	return serving
}

// The least times between two operations that change only figures, in
// milliseconds: while people wait, and otherwise.
const (
	reportEvery     = 1000
	idleReportEvery = 10_000
)

// worth reports whether an operation changes anything.
func (r *Round) worth(q *queue, op *logpb.Served) bool {
	for n, l := range q.lanes {
		if op.GetServing()[n] != l.serving {
			return true
		}
	}
	for _, p := range q.current {
		if p.until <= r.at {
			return true
		}
	}
	if len(q.recent) > 0 && q.recent[0].GetAt() <= r.at-recentFor.Milliseconds() || r.state.SoldOut() != q.wished && len(q.places) > 0 {
		return true
	}
	figures := op.GetReason() != q.last.GetReason() || op.GetCrowd() != q.last.GetCrowd() || op.GetHoldP99Ms() != q.last.GetHoldP99Ms() ||
		op.GetHoldsPerSecond() != q.last.GetHoldsPerSecond()
	every := int64(idleReportEvery)
	if r.state.crowd(r.at).Waiting > 0 {
		every = reportEvery
	}
	return op.GetRefused() != nil || figures && len(q.places) > 0 && r.at >= q.last.GetAt()+every
}

func (r *Round) control(c *logpb.Control) *logpb.Answer {
	if r.state.Event == nil || !r.state.Event.hasQueue() {
		return refuse(QueueNotOpen)
	}
	changes := r.changes()
	if changes.control == nil {
		changes.control = newQueue().control
		if q := r.state.queue; q != nil {
			changes.control = q.control
		}
	}
	if proto.Equal(changes.control, c.GetControl()) {
		return &logpb.Answer{} // a request sent twice is audited once
	}
	changes.control = c.GetControl()
	r.add(&logpb.Operation{Kind: &logpb.Operation_Controlled{Controlled: &logpb.Controlled{Control: c.GetControl(), At: r.at, Audit: c.GetAudit()}}})
	return &logpb.Answer{}
}

// invite adds invite codes, once for each batch.
func (r *Round) invite(c *logpb.Invite) *logpb.Answer {
	if r.state.Event == nil {
		return refuse(EventNotOnSale)
	}
	batch := c.GetBatch()
	known, ok := r.changes().batches[batch]
	if q := r.state.queue; !ok && q != nil {
		known, ok = q.batches[batch]
	}
	switch {
	case batch == 0 || !ok:
	case known == c.GetRequest():
		return &logpb.Answer{Replayed: true}
	default:
		return refuse(KeyReused)
	}
	r.queue.batches[batch] = c.GetRequest()
	r.add(&logpb.Operation{Kind: &logpb.Operation_Invited{Invited: &logpb.Invited{
		Codes: c.GetCodes(), Uses: c.GetUses(), At: r.at, Batch: batch, Request: c.GetRequest(), Audit: c.GetAudit(),
	}}})
	return &logpb.Answer{}
}

// stopped reports whether the organiser has stopped the queue.
func (q *queue) stopped() bool { return q != nil && q.control.GetState() == stopped }

// People counts the people in a queue.
type People struct {
	// Waiting wait for their turn. Called have not come yet. Shopping are
	// admitted and have no live booking; Holding have one.
	Waiting, Called, Shopping, Holding int
	// Idle are those of Called and Shopping who have done nothing for long, or
	// whose booking has ended.
	Idle int
}

// crowd counts people at a time in Unix milliseconds.
func (s *State) crowd(at int64) (n People) {
	if s.queue == nil {
		return n
	}
	for _, l := range s.queue.lanes {
		n.Waiting += l.waiting
	}
	for _, p := range s.queue.current {
		switch b := s.buyers[p.user]; {
		case p.until <= at:
		case p.status == logpb.Place_CALLED:
			n.Called++
			if at-(p.until-TurnTime.Milliseconds()) > LateAfter.Milliseconds() {
				n.Idle++
			}
		case b != nil && b.seats > 0:
			n.Holding++
		default:
			n.Shopping++
			gaveUp := b != nil // a booking that has ended
			if gaveUp || at-(p.until-s.Event.admission()) > IdleAfter.Milliseconds() {
				n.Idle++
			}
		}
	}
	return n
}

// LiveQueue reports whether the queue must be served at a time: the event's
// log must then stay in memory at its owner. The queue is served once more
// after the end of the sale.
func (s *State) LiveQueue(now time.Time) bool {
	e := s.Event
	if e == nil || !e.hasQueue() || e.Status != events.StatusPublished || now.Before(e.queueOpens()) {
		return false
	}
	return now.Before(e.SaleEndsAt) || s.queue != nil && s.queue.last.GetAt() < e.SaleEndsAt.UnixMilli()
}
