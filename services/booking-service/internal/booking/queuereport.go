package booking

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/api/rest"
)

// QueueView returns what everybody may know of the queue at a time.
func (s *State) QueueView(now time.Time) rest.Queue {
	e := s.Event
	available, held, _ := s.Counts()
	v := rest.Queue{
		EventID: e.EventID, Version: s.Seq, Mode: rest.QueueModeOff, State: s.queueState(now), Required: s.queueRequired(now),
		OpensAt: e.queueOpens(), SaleStartsAt: e.SaleStartsAt, SeatsAvailable: available, SeatsHeld: held, SeatsPerBooking: s.seatsPerBooking(),
	}
	if e.hasQueue() {
		v.Mode = rest.QueueMode(e.Queue.Mode)
	}
	q := s.queue
	if q == nil {
		return v
	}
	if q.seed != nil {
		sum := sha256.Sum256(q.seed)
		v.SeedHash = hex.EncodeToString(sum[:])
	}
	if q.drawnAt > 0 {
		v.Seed = hex.EncodeToString(q.seed)
	}
	for n, to := range []*rest.LaneState{&v.Lanes.Returning, &v.Lanes.Priority, &v.Lanes.General} {
		l := q.lanes[n]
		*to = rest.LaneState{Drawn: int(l.drawn), Last: int(l.last), Serving: int(l.serving), Waiting: l.waiting}
	}
	v.AdmittedPerMinute.Low, v.AdmittedPerMinute.High = q.perMinute(now)
	return v
}

func (s *State) queueState(now time.Time) rest.QueueState {
	e, q := s.Event, s.queue
	reason := e.onSale(now)
	switch {
	case !e.hasQueue() || reason != "" && reason != SaleNotStarted || q.stopped():
		return rest.QueueStateOff
	case now.Before(e.queueOpens()):
		return rest.QueueStateClosed
	case reason == SaleNotStarted:
		return rest.QueueStatePrequeue
	case !s.queueRequired(now):
		return rest.QueueStateOff
	case s.SoldOut():
		return rest.QueueStateSoldOut
	case q != nil && q.control.GetState() == paused:
		return rest.QueueStatePaused
	}
	return rest.QueueStateOpen
}

// seatsPerBooking returns the average number of seats of a live booking, 0
// without bookings.
func (s *State) seatsPerBooking() float64 {
	if s.live == 0 {
		return 0
	}
	return float64(s.held+s.sold) / float64(s.live)
}

// rateBucket divides the recent past to estimate how much the admission rate
// varies.
const rateBucket = 10 * time.Second

// perMinute returns how many people were called per minute lately: the mean of
// the last two minutes, plus and minus two standard errors. Low is 0 while
// there is too little data to tell.
func (q *queue) perMinute(now time.Time) (low, high float64) {
	since := max(q.drawnAt, now.Add(-recentFor).UnixMilli())
	buckets := int((now.UnixMilli() - since) / rateBucket.Milliseconds())
	if q.drawnAt == 0 || buckets < 1 {
		return 0, 0
	}
	counts := make([]float64, buckets)
	for _, c := range q.recent {
		if n := int((now.UnixMilli() - c.GetAt()) / rateBucket.Milliseconds()); n >= 0 && n < buckets {
			counts[n] += float64(c.GetPeople())
		}
	}
	mean, spread := 0.0, 0.0
	for _, n := range counts {
		mean += n / float64(buckets)
	}
	for _, n := range counts {
		spread += (n - mean) * (n - mean)
	}
	perMinute := time.Minute.Seconds() / rateBucket.Seconds()
	if buckets < 2 {
		return 0, 2 * mean * perMinute
	}
	deviation := 2 * math.Sqrt(spread/float64(buckets-1)/float64(buckets))
	return max(0, mean-deviation) * perMinute, (mean + deviation) * perMinute
}

// QueueReport returns what the organiser may know of the queue at a time.
func (s *State) QueueReport(now time.Time) rest.QueueReport {
	people := s.crowd(now.UnixMilli())
	r := rest.QueueReport{
		Queue: s.QueueView(now), Control: rest.QueueControl{State: running}, Shopping: people.Shopping, Called: people.Called,
		Holding: people.Holding, Sold: s.sold, Reason: rest.AdmissionReasonIdle,
	}
	q := s.queue
	if q == nil {
		return r
	}
	r.Control = rest.QueueControl{State: rest.QueueControlState(q.control.GetState()), MaxPerMinute: int(q.control.GetMaxPerMinute())}
	r.Entered, r.Crowd, r.HoldsPerSecond = int(q.entered), q.last.GetCrowd(), q.last.GetHoldsPerSecond()
	r.HoldP99Seconds = float64(q.last.GetHoldP99Ms()) / 1000
	switch reason := q.last.GetReason(); { // the last one is old if nobody was there
	case q.control.GetState() == paused:
		r.Reason = rest.AdmissionReasonPaused
	case people.Waiting > 0 && reason != "":
		r.Reason = rest.AdmissionReason(reason)
	}
	for _, p := range q.places {
		if p.wish {
			r.Wishes++
		}
	}
	for _, uses := range q.invites {
		r.InviteUsesLeft += int(uses)
	}
	r.Refused.ChallengeFailed, r.Refused.DeviceInQueue = int(q.refused.GetChallengeFailed()), int(q.refused.GetDeviceInQueue())
	r.Refused.InviteCodeInvalid = int(q.refused.GetInviteCodeInvalid())
	r.Refused.NetworkLimitReached, r.Refused.QueueRequired = int(q.refused.GetNetworkLimitReached()), int(q.refused.GetQueueRequired())
	return r
}

// Place returns a user's place at a time, or nil if there is none.
func (s *State) Place(user uuid.UUID, now time.Time) *logpb.Place {
	if s.queue == nil {
		return nil
	}
	p := s.queue.places[user]
	if p == nil || p.status == logpb.Place_ENTERED && !p.admitted(now.UnixMilli()) {
		return nil
	}
	encoded := p.encode()
	if p.status == logpb.Place_CALLED && p.until <= now.UnixMilli() {
		encoded.Status = logpb.Place_MISSED
	}
	if s.Event.onSale(now) == "" && !s.queueRequired(now) {
		encoded.Status = logpb.Place_NOT_NEEDED
	}
	return encoded
}

// LastServed returns the last step of serving the queue.
func (s *State) LastServed() *logpb.Served {
	if s.queue == nil {
		return nil
	}
	return s.queue.last
}

// QueueFigures are what the controller of admissions needs of the state.
type QueueFigures struct {
	People
	Available, Held int
	SeatsPerBooking float64
	// Crowd is the last limit in the log.
	Crowd        float64
	MaxPerMinute int
	Paused       bool
	// Required is whether a hold needs an admission. Automatic means that the
	// queue switches itself on and off, once the pre-queue is drawn.
	Required, Automatic bool
}

// QueueFigures returns the figures of a time.
func (s *State) QueueFigures(now time.Time) QueueFigures {
	f := QueueFigures{
		People: s.crowd(now.UnixMilli()), SeatsPerBooking: s.seatsPerBooking(), Required: s.queueRequired(now),
		Automatic: s.Event.Queue.Mode == events.QueueAutomatic && s.queue != nil && s.queue.drawnAt > 0,
	}
	f.Available, f.Held, _ = s.Counts()
	if q := s.queue; q != nil {
		f.Crowd, f.MaxPerMinute, f.Paused = q.last.GetCrowd(), int(q.control.GetMaxPerMinute()), q.control.GetState() == paused
	}
	return f
}
