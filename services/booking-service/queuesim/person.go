package main

import (
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// How people behave. Times are medians.
const (
	// comes is from the call to the admission.
	comes = 3 * time.Second
	// again is until people try again who got no seats; they give up after
	// patience.
	again    = 4 * time.Second
	patience = 90 * time.Second
	// late is when those who missed their turn come back, a half of them.
	late = 3 * time.Minute
	// chooses is the share of people who choose seats on the map. The others
	// take the best.
	chooses = 0.3
)

// person wants seats, or is a bot.
type person struct {
	*simulation
	user        uuid.UUID
	bot, absent bool
	quantity    int
	since       time.Duration
	tries       int
}

// populate brings the people.
func (s *simulation) populate(mode events.QueueMode) {
	for n := range s.people + s.arrivals {
		p := &person{
			simulation: s, user: s.uuid(), bot: s.rng.Float64() < s.bots, absent: s.rng.Float64() < s.absent,
			quantity: []int{1, 1, 1, 2, 2, 2, 2, 3, 3, 4}[s.rng.IntN(10)],
		}
		at := time.Duration(s.rng.Float64() * float64(s.arriveFor))
		if n < s.people {
			at = -time.Second - time.Duration(s.rng.Float64()*float64(opens-2*time.Second))
			s.drawn = append(s.drawn, p)
		}
		if mode == events.QueueOff {
			// Whoever would have come to the pre-queue is there when the sale starts.
			// Who would miss the turn isn't.
			if p.bot || p.absent {
				continue
			}
			s.after(max(at, s.lognormal(comes, 0.5))-s.now, p.shop)
			continue
		}
		s.after(at-s.now, p.come)
	}
	if s.forgeries > 0 && mode != events.QueueOff {
		s.after(-s.now, func() {
			s.every(time.Duration(float64(time.Second)/s.forgeries), func() {
				forger := &person{simulation: s, user: s.uuid(), quantity: 4}
				s.owner.submit(forger.request(), func(a *logpb.Answer) {
					if a != nil && a.GetRefusal() != string(booking.QueueRequired) {
						s.result.intruders++
					}
				})
			})
		})
	}
}

// come says that the person is here.
func (p *person) come() {
	p.owner.submit(&logpb.Command{Kind: &logpb.Command_Arrive{Arrive: &logpb.Arrive{User: p.user[:], Solved: true}}}, func(a *logpb.Answer) {
		place := a.GetPlace()
		switch {
		case place == nil: // try again
			p.after(p.lognormal(again, 0.5), p.come)
		case place.GetStatus() == logpb.Place_ENTERED:
			p.shop()
		case place.GetStatus() == logpb.Place_WAITING && place.GetRank() > 0:
			p.members[place.GetLane()][place.GetRank()] = p
		}
	})
}

// called says that it is the person's turn.
func (p *person) called() {
	switch {
	case !p.absent:
		p.after(p.lognormal(comes, 0.5), p.come)
	case p.rng.IntN(2) == 0:
		p.absent = false
		p.after(p.lognormal(late, 0.2), p.come)
	}
}

func (p *person) shop() {
	if p.bot {
		p.after(time.Duration(p.state.Event.Queue.AdmissionSeconds)*time.Second, p.come)
		return
	}
	p.result.admitted++
	p.since = p.now
	p.after(p.lognormal(p.think, 0.6), p.try)
}

// try asks for seats.
func (p *person) try() {
	p.owner.submit(p.request(), func(a *logpb.Answer) {
		switch refusal := booking.Reason(a.GetRefusal()); {
		case a == nil:
			p.after(p.lognormal(2*time.Second, 0.5), p.try)
		case refusal == "":
			p.buy(a.GetBooking().GetId())
		case refusal == booking.QueueRequired:
			p.come()
		case p.now-p.since > patience && p.event.Queue.Mode != events.QueueOff || p.state.SoldOut():
			p.result.inVain++
			p.owner.submit(&logpb.Command{Kind: &logpb.Command_Leave{Leave: &logpb.Leave{User: p.user[:]}}}, func(*logpb.Answer) {})
		default:
			if refusal == booking.NotEnoughSeats {
				p.quantity = 1 // better one than none
			}
			p.after(p.lognormal(again, 0.5), p.retry)
		}
	})
}

// retry asks again once seats are available.
func (p *person) retry() {
	if available, _, _ := p.state.Counts(); available > 0 || p.state.SoldOut() || p.now-p.since > patience && p.event.Queue.Mode != events.QueueOff {
		p.try()
		return
	}
	p.after(p.lognormal(again, 0.5), p.retry)
}

// request returns a hold of the best seats, or of seats that are available.
func (p *person) request() *logpb.Command {
	p.tries++
	own := p.uuid()
	hold := &logpb.Hold{
		Booking: uint64(p.steps)<<32 | uint64(own[0])<<8 | uint64(own[1]), User: p.user[:], Holder: "a person", RequestHash: own[:],
		Event: p.event.EventID[:], TicketType: ticketType, Quantity: uint32(p.quantity),
	}
	if p.rng.Float64() < chooses {
		if seats := p.choose(); seats != nil {
			hold.Seats, hold.TicketType, hold.Quantity = seats, "", 0
		}
	}
	return &logpb.Command{Kind: &logpb.Command_Hold{Hold: hold}}
}

// choose returns neighbours that are available, or nil.
func (p *person) choose() []uint32 {
	for range 20 {
		at := p.rng.IntN(p.seats)
		if at%rowSeats+p.quantity > rowSeats || at+p.quantity > p.seats {
			continue
		}
		var seats []uint32
		for n := at; n < at+p.quantity && p.state.SeatState(uint32(n)) == booking.Available; n++ {
			seats = append(seats, uint32(n))
		}
		if len(seats) == p.quantity {
			return seats
		}
	}
	return nil
}

// buy pays for a booking, or lets it expire.
func (p *person) buy(own uint64) {
	if p.rng.Float64() < p.abandon {
		return
	}
	// Payment providers answer before the hold ends.
	in := min(p.lognormal(p.pay, 0.4), p.hold-5*time.Second)
	p.after(in, func() { p.paid(own) })
}

func (p *person) paid(own uint64) {
	id := p.uuid()
	p.owner.submit(&logpb.Command{Kind: &logpb.Command_Payment{Payment: &logpb.Payment{
		Booking: own, Payment: id[:], Outcome: logpb.Payment_CONFIRMED,
	}}}, func(a *logpb.Answer) {
		if a == nil {
			p.after(time.Second, func() { p.paid(own) })
		}
	})
}
