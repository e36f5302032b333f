package check

import (
	"slices"

	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
	"github.com/frontrow-tickets/frontrow/test/robustness/model"
)

// checker has the observations in order: attempts to hold by their key, and the
// timeline of each booking.
type checker struct {
	*Observations
	calls     []history.Call
	attempts  []*attempt
	timelines []*timeline
	// byID maps bookings to their timelines, including bookings that the stores
	// have lost.
	byID map[string]*timeline
	// cancelled maps each event to the first request to cancel it.
	cancelled map[string]int64
}

// attempt is all calls with one Idempotency-Key, which request the same hold.
type attempt struct {
	who, event, key string
	want            []string
	quantity        int
	outcome         history.Outcome
	// start and end bound the time when it took effect, if it did; end is
	// model.Forever while unknown.
	start, end int64
	// answers are the bookings in its responses: all the same, if correct.
	answers    []client.Booking
	attributed bool
}

// timeline is everything known about one booking.
type timeline struct {
	id, event string
	attempt   *attempt
	stored    *audit.StoredBooking
	reads     []read
	// pay and cancel are the starts of the first requests that may have taken
	// effect; 0 if none.
	pay, cancel int64
	paid        []history.Call
	cancels     []history.Call
}

// read is a booking as returned by a read that lasted from start to end.
type read struct {
	start, end int64
	booking    client.Booking
	final      bool
}

func (c *checker) build() {
	c.byID, c.cancelled = map[string]*timeline{}, map[string]int64{}
	c.collectAttempts()
	for _, a := range c.attempts {
		if len(a.answers) > 0 {
			c.timeline(a.answers[0].ID, a.event).attempt = a
		}
	}
	for _, sale := range c.Sales {
		for i := range c.States[sale.ID].Bookings {
			stored := &c.States[sale.ID].Bookings[i]
			if stored.Status != "unknown" {
				c.timeline(stored.ID.String(), sale.ID).stored = stored
			}
		}
	}
	for i := range c.calls {
		c.read(&c.calls[i])
	}
	for _, s := range c.byID {
		c.timelines = append(c.timelines, s)
	}
	slices.SortFunc(c.timelines, func(a, b *timeline) int { return compare(a.id, b.id) })
	for _, s := range c.timelines {
		slices.SortFunc(s.reads, func(a, b read) int { return compare(a.end, b.end) })
		if s.attempt == nil {
			c.attribute(s)
		}
	}
}

func compare[T int64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (c *checker) timeline(id, event string) *timeline {
	s := c.byID[id]
	if s == nil {
		s = &timeline{id: id, event: event}
		c.byID[id] = s
	}
	return s
}

func (c *checker) collectAttempts() {
	byKey := map[string]*attempt{}
	for _, call := range c.calls {
		if call.Kind != history.Hold {
			continue
		}
		a := byKey[call.Key]
		if a == nil {
			a = &attempt{
				who: call.Who, event: call.EventID, key: call.Key, want: call.Want, quantity: call.Quantity,
				outcome: history.NotDone, start: model.Forever, end: model.Forever,
			}
			byKey[call.Key] = a
			c.attempts = append(c.attempts, a)
		}
		if call.Outcome == history.NotDone {
			continue
		}
		a.start = min(a.start, call.Start)
		if call.Outcome == history.Done {
			a.answers = append(a.answers, call.Bookings[0])
			a.end = min(a.end, call.End)
		}
		if a.outcome != history.Done {
			a.outcome = call.Outcome
		}
	}
}

// read adds a call to the timelines of the bookings that it requested or
// returned.
func (c *checker) read(call *history.Call) {
	mayBeDone := call.Outcome != history.NotDone
	switch call.Kind {
	default:
		return
	case history.CancelEvent:
		if at, known := c.cancelled[call.EventID]; mayBeDone && (!known || call.Start < at) {
			c.cancelled[call.EventID] = call.Start
		}
		return
	case history.Pay:
		s := c.timeline(call.BookingID, call.EventID)
		s.paid = append(s.paid, *call)
		if mayBeDone && (s.pay == 0 || call.Start < s.pay) {
			s.pay = call.Start
		}
		return
	case history.Cancel:
		s := c.timeline(call.BookingID, call.EventID)
		s.cancels = append(s.cancels, *call)
		if mayBeDone && (s.cancel == 0 || call.Start < s.cancel) {
			s.cancel = call.Start
		}
	case history.ReadBooking, history.ListOwn:
	}
	if call.Outcome != history.Done {
		return
	}
	for _, b := range call.Bookings {
		s := c.timeline(b.ID, b.EventID)
		s.reads = append(s.reads, read{call.Start, call.End, b, call.Kind == history.ListOwn})
	}
}

// attribute finds the request, with a lost response, of a booking that no client
// received.
func (c *checker) attribute(s *timeline) {
	if s.stored == nil {
		return
	}
	seats := s.stored.Seats
	for _, a := range c.attempts {
		if a.outcome == history.Unknown && !a.attributed && c.matches(a, s, seats) {
			a.attributed, s.attempt = true, a
			return
		}
	}
}

func (c *checker) matches(a *attempt, s *timeline, seats []string) bool {
	if a.event != s.event || c.Users[s.stored.UserID.String()] != a.who {
		return false
	}
	if len(a.want) == 0 {
		return a.quantity == len(seats)
	}
	return sameSeats(a.want, seats)
}

func sameSeats(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// firstSeen returns when a client first saw a read for which holds is true, or
// Forever.
func (s *timeline) firstSeen(holds func(*client.Booking) bool) int64 {
	for i := range s.reads {
		if holds(&s.reads[i].booking) {
			return s.reads[i].end
		}
	}
	return model.Forever
}

func ended(b *client.Booking) bool { return b.Status != "held" && b.Status != "confirmed" }
