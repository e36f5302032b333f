package booking

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// TurnTime is how long a called person has to come.
const TurnTime = 2 * time.Minute

// A person counts as idle LateAfter the call without coming, and IdleAfter the
// admission without a hold. Idle people leave room for others, so that accounts
// that only take places don't stop the sale.
const (
	LateAfter = 20 * time.Second
	IdleAfter = time.Minute
)

// MaxPerNetwork limits the places of one network. Carriers and campuses put
// thousands of people behind one address.
const MaxPerNetwork = 4096

const (
	// recentFor is how long calls count for the admission rate.
	recentFor = 2 * time.Minute
	lanes     = 3
)

// States of a queue's control.
const (
	running = "running"
	paused  = "paused"
	stopped = "stopped"
)

// queue is the waiting room of an event.
type queue struct {
	seed []byte
	// drawnAt is 0 before the draw.
	drawnAt int64
	// active means that an automatic queue is needed.
	active  bool
	control *logpb.QueueControl
	lanes   [lanes]lane
	places  map[uuid.UUID]*place
	// current are the places of the people who are called or admitted.
	current  map[uuid.UUID]*place
	devices  map[uint64]uuid.UUID
	networks map[uint64]int
	// invites has the uses left of each invite code, by its hash; batches has
	// the request that made each batch of them.
	invites map[uint64]uint32
	batches map[uint64]uint64
	entered uint32
	recent  []*logpb.Calls
	last    *logpb.Served
	refused *logpb.Refused
	// wished means that everybody who waits has a wish.
	wished bool
}

// lane is an ordered part of a queue.
type lane struct {
	// last is the last number given out; numbers up to drawn took part in the
	// draw. Ranks up to serving have been called.
	last, serving, drawn uint32
	waiting              int
	// members has the person who waits at each rank, or at each number before
	// the draw, minus 1; uuid.Nil if nobody does.
	members []uuid.UUID
}

// place is a person's place in a queue.
type place struct {
	user uuid.UUID
	lane logpb.Lane
	// status is one of WAITING, CALLED, MISSED and ENTERED.
	status logpb.Place_Status
	// rank is 0 before the draw.
	number, rank    uint32
	joined, until   int64
	device, network uint64
	wish            bool
}

func newQueue() *queue {
	return &queue{
		places: map[uuid.UUID]*place{}, current: map[uuid.UUID]*place{}, devices: map[uint64]uuid.UUID{}, networks: map[uint64]int{},
		invites: map[uint64]uint32{}, batches: map[uint64]uint64{},
		control: &logpb.QueueControl{State: running}, last: &logpb.Served{}, refused: &logpb.Refused{},
	}
}

// encode returns the place for another replica or a snapshot.
func (p *place) encode() *logpb.Place {
	return &logpb.Place{
		User: p.user[:], Lane: p.lane, Status: p.status, Number: p.number, Rank: p.rank, Joined: p.joined, Until: p.until,
		Device: p.device, Network: p.network, Wish: p.wish,
	}
}

// index returns where the lane lists a waiting place.
func (p *place) index() uint32 {
	if p.rank > 0 {
		return p.rank - 1
	}
	return p.number - 1
}

// applyQueue applies an operation of the queue. Handled is false if it is not one.
func (s *State) applyQueue(op *logpb.Operation) (handled bool) {
	if s.queue == nil {
		s.queue = newQueue()
	}
	q := s.queue
	switch op := op.GetKind().(type) {
	case *logpb.Operation_Seeded:
		q.seed = op.Seeded.GetSeed()
	case *logpb.Operation_Joined:
		s.join(op.Joined)
	case *logpb.Operation_Drawn:
		q.draw(op.Drawn.GetAt())
	case *logpb.Operation_Served:
		s.serve(op.Served)
	case *logpb.Operation_Entered:
		q.enter(op.Entered)
	case *logpb.Operation_Left:
		if p := q.places[id(op.Left.GetUser())]; p != nil {
			q.remove(p)
		}
	case *logpb.Operation_Switched:
		q.active = op.Switched.GetActive()
	case *logpb.Operation_Controlled:
		q.control = op.Controlled.GetControl()
	case *logpb.Operation_Invited:
		for _, code := range op.Invited.GetCodes() {
			q.invites[code] = op.Invited.GetUses()
		}
		if op.Invited.GetBatch() != 0 {
			q.batches[op.Invited.GetBatch()] = op.Invited.GetRequest()
		}
	default:
		return false
	}
	return true
}

func (s *State) join(op *logpb.Joined) {
	q := s.queue
	p := &place{user: id(op.GetUser()), lane: op.GetLane(), joined: op.GetAt(), device: op.GetDevice(), network: op.GetNetwork(), wish: s.SoldOut()}
	if old := q.places[p.user]; old != nil {
		q.remove(old)
		if old.status != logpb.Place_ENTERED {
			p.joined, p.wish = old.joined, p.wish || old.wish
		}
	}
	l := &q.lanes[p.lane]
	l.last++
	p.number = l.last
	if q.drawnAt > 0 {
		p.rank = p.number
	}
	l.members = append(l.members, p.user)
	if op.GetInvite() != 0 {
		q.invites[op.GetInvite()]--
	}
	q.add(p)
}

// add adds a place, whose user has none, except to its lane's members.
func (q *queue) add(p *place) {
	q.places[p.user] = p
	switch p.status {
	case logpb.Place_WAITING:
		q.lanes[p.lane].waiting++
	case logpb.Place_CALLED, logpb.Place_ENTERED:
		q.current[p.user] = p
	case logpb.Place_MISSED, logpb.Place_NOT_NEEDED:
	}
	if p.device != 0 {
		q.devices[p.device] = p.user
	}
	if p.network != 0 {
		q.networks[p.network]++
	}
}

func (q *queue) remove(p *place) {
	if p.status == logpb.Place_WAITING {
		l := &q.lanes[p.lane]
		l.members[p.index()] = uuid.Nil
		l.waiting--
	}
	delete(q.places, p.user)
	delete(q.current, p.user)
	if q.devices[p.device] == p.user {
		delete(q.devices, p.device)
	}
	if q.networks[p.network]--; q.networks[p.network] <= 0 {
		delete(q.networks, p.network)
	}
}

// draw puts the members of each lane into the order of their ranks.
func (q *queue) draw(at int64) {
	q.drawnAt = at
	for n := range q.lanes {
		l := &q.lanes[n]
		q.active = q.active || l.waiting > 0
		l.drawn = l.last
		members := make([]uuid.UUID, l.last)
		for i, to := range permutation(q.seed, logpb.Lane(n), l.last) {
			if members[to] = l.members[i]; members[to] != uuid.Nil {
				q.places[members[to]].rank = to + 1
			}
		}
		l.members = members
	}
}

// serve ends what has expired and calls people.
func (s *State) serve(op *logpb.Served) {
	q, at := s.queue, op.GetAt()
	for _, p := range q.current {
		switch {
		case p.until > at:
		case p.status == logpb.Place_CALLED:
			p.status = logpb.Place_MISSED
			delete(q.current, p.user)
		default:
			q.remove(p)
		}
	}
	called := uint32(0)
	for n, serving := range op.GetServing() {
		l := &q.lanes[n]
		for ; l.serving < min(serving, l.last); l.serving++ {
			member := &l.members[l.serving]
			if *member == uuid.Nil {
				continue
			}
			p := q.places[*member]
			p.status, p.until = logpb.Place_CALLED, at+TurnTime.Milliseconds()
			q.current[p.user] = p
			*member = uuid.Nil
			l.waiting--
			called++
		}
	}
	if called > 0 {
		q.recent = append(q.recent, &logpb.Calls{At: at, People: called})
	}
	q.recent = slices.DeleteFunc(q.recent, func(c *logpb.Calls) bool { return c.GetAt() <= at-recentFor.Milliseconds() })
	s.recordWishes()
	q.refused = sum(q.refused, op.GetRefused())
	q.last = op
}

// recordWishes records that everybody who waits gets no seat, if none is left.
func (s *State) recordWishes() {
	q := s.queue
	if !s.SoldOut() || q.wished {
		q.wished = s.SoldOut()
		return
	}
	q.wished = true
	for _, p := range q.places {
		p.wish = p.wish || p.status == logpb.Place_WAITING
	}
}

func sum(a, b *logpb.Refused) *logpb.Refused {
	return &logpb.Refused{
		ChallengeFailed:     a.GetChallengeFailed() + b.GetChallengeFailed(),
		DeviceInQueue:       a.GetDeviceInQueue() + b.GetDeviceInQueue(),
		InviteCodeInvalid:   a.GetInviteCodeInvalid() + b.GetInviteCodeInvalid(),
		NetworkLimitReached: a.GetNetworkLimitReached() + b.GetNetworkLimitReached(),
		QueueRequired:       a.GetQueueRequired() + b.GetQueueRequired(),
	}
}

func (q *queue) enter(op *logpb.Entered) {
	p := q.places[id(op.GetUser())]
	if p == nil {
		return
	}
	p.status, p.until, p.wish = logpb.Place_ENTERED, op.GetUntil(), false
	q.current[p.user] = p
	q.entered++
}

// renew extends the admission of a buyer who holds seats.
func (s *State) renew(user uuid.UUID, at int64) {
	if s.queue == nil {
		return
	}
	if p := s.queue.places[user]; p != nil && p.admitted(at) {
		p.until = max(p.until, at+s.Event.admission())
	}
}

// admitted reports whether the place is an admission that is valid at a time.
func (p *place) admitted(at int64) bool {
	return p != nil && p.status == logpb.Place_ENTERED && at < p.until
}

// admission returns how long an admission lasts, in milliseconds.
func (e *Event) admission() int64 { return int64(e.Queue.AdmissionSeconds) * 1000 }

// hasQueue reports whether the event's settings have a queue.
func (e *Event) hasQueue() bool {
	return e.Queue.Mode == events.QueueAutomatic || e.Queue.Mode == events.QueueAlways
}

// queueOpens returns when the pre-queue opens.
func (e *Event) queueOpens() time.Time {
	return e.SaleStartsAt.Add(-time.Duration(e.Queue.OpensBeforeSeconds) * time.Second)
}

// SoldOut reports whether no seat is available or may become so by an expiry.
func (s *State) SoldOut() bool {
	available, held, _ := s.Counts()
	return available+held == 0
}

// queueRequired reports whether a hold needs an admission at a time.
func (s *State) queueRequired(now time.Time) bool {
	e, q := s.Event, s.queue
	if !e.hasQueue() || e.onSale(now) != "" || q != nil && q.control.GetState() == stopped {
		return false
	}
	if e.Queue.Mode == events.QueueAlways {
		return true
	}
	// From the start of the sale on, the pre-queue comes first, even if the
	// draw is a moment late.
	return q != nil && (q.active || q.drawnAt == 0 && len(q.places) > 0)
}

// freeze copies the queue for a snapshot.
func (q *queue) freeze() (*logpb.Queue, []place) {
	p := &logpb.Queue{
		Seed: q.seed, DrawnAt: q.drawnAt, Active: q.active, Control: q.control, Invites: maps.Clone(q.invites), Batches: maps.Clone(q.batches),
		Entered: q.entered, Recent: slices.Clone(q.recent), Last: q.last, Refused: q.refused,
	}
	for _, l := range q.lanes {
		p.Lanes = append(p.Lanes, &logpb.LaneState{Last: l.last, Serving: l.serving, Drawn: l.drawn})
	}
	places := make([]place, 0, len(q.places))
	for _, one := range q.places {
		places = append(places, *one)
	}
	return p, places
}

// decodeQueue returns the queue of a snapshot.
func decodeQueue(p *logpb.Queue) *queue {
	if p == nil {
		return nil
	}
	q := newQueue()
	q.seed, q.drawnAt, q.active, q.control = p.GetSeed(), p.GetDrawnAt(), p.GetActive(), p.GetControl()
	q.entered, q.recent, q.last, q.refused = p.GetEntered(), p.GetRecent(), p.GetLast(), p.GetRefused()
	maps.Copy(q.invites, p.GetInvites())
	maps.Copy(q.batches, p.GetBatches())
	for n, l := range p.GetLanes() {
		q.lanes[n] = lane{last: l.GetLast(), serving: l.GetServing(), drawn: l.GetDrawn(), members: make([]uuid.UUID, l.GetLast())}
	}
	for _, e := range p.GetPlaces() {
		one := &place{
			user: id(e.GetUser()), lane: e.GetLane(), status: e.GetStatus(), number: e.GetNumber(), rank: e.GetRank(), joined: e.GetJoined(),
			until: e.GetUntil(), device: e.GetDevice(), network: e.GetNetwork(), wish: e.GetWish(),
		}
		q.add(one)
		if one.status == logpb.Place_WAITING {
			q.lanes[one.lane].members[one.index()] = one.user
		}
	}
	return q
}
