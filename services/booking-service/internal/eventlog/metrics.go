package eventlog

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/admission"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

var (
	lockDuration = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "seat_lock_duration_seconds", Help: "Duration of holds, by stage: waiting for a round, append, and total.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"stage", "outcome"})
	holdsInFlight = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "holds_in_flight", Help: "Holds being decided.",
	})
	appendDuration = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "log_append_duration_seconds", Help: "Time to append an entry, including resolving unknown outcomes.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	})
	roundOperations = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "log_round_operations", Help: "Commands decided per round.",
		Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512},
	})
	appends = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "log_appends_total", Help: "Attempts to append an entry, by outcome.",
	}, []string{"outcome"})
	loadDuration = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "log_load_duration_seconds", Help: "Time to load a log into memory.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	})
	sagaDuration = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "booking_saga_duration_seconds", Help: "Time from a hold to its outcome.",
		Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 600, 3600},
	}, []string{"outcome"})
	seatChanges = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "seat_changes_total", Help: "Seats changed by this replica's entries, by new state.",
	}, []string{"state"})
	expiryLag = promauto.NewHistogram(prometheus.HistogramOpts{
		Name: "hold_expiry_lag_seconds", Help: "Delay between a hold's deadline and its expiry.",
		Buckets: []float64{.1, .25, .5, 1, 2, 3, 4, 5, 10, 30, 60, 600},
	})
	oversold = promauto.NewCounter(prometheus.CounterOpts{
		Name: "oversold_seats_total", Help: "Seats assigned while they had an owner. Must stay 0.",
	})
	outboxLag = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "outbox_lag_seconds", Help: "Age of the oldest unpublished entry, by event.",
	}, []string{"event"})
	checkIns = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "check_ins_total", Help: "Ticket scans, by result. Repeated scans are not counted.",
	}, []string{"result"})
	queuePeople = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "queue_people", Help: "People in an event's queue at its owner, by what they do: waiting, called, shopping or holding.",
	}, []string{"event", "state"})
	queueCrowd = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "queue_crowd_limit", Help: "How many people the controller lets shop at once, by event.",
	}, []string{"event"})
	// cases counts rare cases that must occur in a test run for it to prove
	// anything.
	cases = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "sometimes_total", Help: "Rare cases that occurred, for tests.",
	}, []string{"case"})
)

// Rare cases.
const (
	lostAppend           = "lost_append"
	unknownApplied       = "unknown_applied"
	unknownNotApplied    = "unknown_not_applied"
	takeover             = "takeover"
	latePaymentRefunded  = "late_payment_refunded"
	latePaymentConfirmed = "late_payment_confirmed"
)

func init() {
	for _, c := range []string{lostAppend, unknownApplied, unknownNotApplied, takeover, latePaymentRefunded, latePaymentConfirmed} {
		cases.WithLabelValues(c)
	}
	for _, s := range []booking.SeatState{booking.Available, booking.HeldSeat, booking.Sold} {
		seatChanges.WithLabelValues(s.String())
	}
	for _, o := range []string{"applied", "lost", "unknown", "unknown_applied", "failed"} {
		appends.WithLabelValues(o)
	}
	for _, r := range []booking.ScanResult{booking.Admitted, booking.AlreadyUsed, booking.WrongEvent, booking.NotValid, booking.Forged} {
		checkIns.WithLabelValues(string(r))
	}
}

// observeFigures records an event's queue.
func observeFigures(event ID, f booking.QueueFigures, d admission.Decision) {
	for state, n := range map[string]int{"waiting": f.Waiting, "called": f.Called, "shopping": f.Shopping, "holding": f.Holding} {
		queuePeople.WithLabelValues(event.String(), state).Set(float64(n))
	}
	queueCrowd.WithLabelValues(event.String()).Set(d.Crowd)
}

// forgetQueue removes the metrics of a queue that this replica does not serve.
func forgetQueue(event ID) {
	queuePeople.DeletePartialMatch(prometheus.Labels{"event": event.String()})
	queueCrowd.DeleteLabelValues(event.String())
}

func sometimes(what string) { cases.WithLabelValues(what).Inc() }

// observeRound records the holds of a round.
func observeRound(start time.Time, batch []*call, answers []*logpb.Answer) {
	roundOperations.Observe(float64(len(batch)))
	took := time.Since(start).Seconds()
	for i, c := range batch {
		if _, ok := c.command.GetKind().(*logpb.Command_Hold); ok {
			what := outcome(answers[i], nil)
			observe.Observe(c.ctx, lockDuration.WithLabelValues("queue", what), start.Sub(c.made).Seconds())
			observe.Observe(c.ctx, lockDuration.WithLabelValues("append", what), took)
		}
	}
}

func outcome(a *logpb.Answer, err error) string {
	switch {
	case err != nil:
		return "failed"
	case a.GetRefusal() != "":
		return "refused"
	}
	return "done"
}

// observe records the effects of this replica's entry, before it is applied.
func (l *eventLog) observe(entry *logpb.Entry) {
	saga := func(own uint64, status string, at int64) {
		if b := l.state.Booking(own); b != nil {
			sagaDuration.WithLabelValues(status).Observe(float64(at-b.Created) / 1000)
		}
	}
	for _, op := range entry.GetOperations() {
		switch kind := op.GetKind().(type) {
		case *logpb.Operation_Confirmed:
			saga(kind.Confirmed.GetBooking(), string(booking.Confirmed), kind.Confirmed.GetAt())
			if b := l.state.Booking(kind.Confirmed.GetBooking()); b != nil && kind.Confirmed.GetAt() > b.Expires {
				sometimes(latePaymentConfirmed)
			}
		case *logpb.Operation_Ended:
			saga(kind.Ended.GetBooking(), kind.Ended.GetStatus(), kind.Ended.GetAt())
			b := l.state.Booking(kind.Ended.GetBooking())
			if status := booking.Status(kind.Ended.GetStatus()); b != nil && (status == booking.Expired || status == booking.PaymentFailed) {
				expiryLag.Observe(float64(kind.Ended.GetAt()-b.Expires) / 1000)
			}
		case *logpb.Operation_PaidLate:
			sometimes(latePaymentRefunded)
		case *logpb.Operation_Scanned:
			checkIns.WithLabelValues(kind.Scanned.GetResult()).Inc()
		}
	}
}
