package booking_test

import (
	"context"
	"fmt"
	"strings"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// watch is what the checks remember from step to step.
type watch struct {
	last map[string]booking.Status
	// messages that were ever in a booking's row, by id.
	messages map[uuid.UUID]string
}

// check returns what is wrong after a step, empty when nothing is.
func (s *simulation) check() string {
	blocks := s.stored()
	listed := map[booking.SeatID]string{}
	rows := map[string]booking.Record{}
	for _, block := range blocks {
		for _, rec := range block.records {
			name := s.nameOf(rec.ID)
			rows[name] = rec
			for _, m := range rec.Outbox {
				s.watch.messages[m.ID] = name + " " + s.showMessage(m)
			}
			if wrong := s.checkStep(name, rec); wrong != "" {
				return wrong
			}
			s.watch.last[name] = rec.Status
			if !rec.Status.Live() {
				continue
			}
			for _, seat := range rec.Seats {
				if other, twice := listed[seat.ID]; twice {
					return fmt.Sprintf("seat %s is listed by two live bookings, %s and %s", seat.ID, other, name)
				}
				listed[seat.ID] = name
				if owner := blocks[seat.ID.Block-1].Seats[seat.ID.Index].Owner; owner != rec.ID {
					return fmt.Sprintf("%s is %s, but its seat %s belongs to %s", name, rec.Status, seat.ID, s.nameOf(owner))
				}
			}
		}
	}
	for actor, answer := range s.answers {
		name, what, _ := strings.Cut(actor, " ")
		if wrong := s.checkAnswer(name, what, answer, rows[name]); wrong != "" {
			return wrong
		}
	}
	return ""
}

// checkStep checks how a booking's status has moved.
func (s *simulation) checkStep(name string, rec booking.Record) string {
	last := s.watch.last[name]
	switch {
	case last == "" || last == rec.Status:
	case last == booking.Held && rec.Status == booking.Confirmed:
	case last == booking.Held && (rec.Status == booking.Expired || rec.Status == booking.PaymentFailed):
		if s.clock.Now().Before(rec.ExpiresAt) {
			return name + " expired before its deadline"
		}
	case last.Live() && rec.Status == booking.Cancelled && rec.Reason == events.CancelledByBuyer && s.scenario.has(name+" cancels"):
	default:
		return fmt.Sprintf("%s went from %s to %s", name, last, rec.Status)
	}
	return ""
}

// checkAnswer checks that what somebody was told is so.
func (s *simulation) checkAnswer(name, what, answer string, rec booking.Record) string {
	answered := fmt.Sprintf("%q was answered %q, and the row is: %s", name+" "+what, answer, s.showRecord(rec))
	there := rec.Revision > 0 && rec.Status != booking.Refused
	switch {
	case answer == "lost" || answer == "unknown":
	case strings.HasPrefix(what, "holds"):
		if answer == "yes" {
			if !there {
				return answered
			}
			if _, found, _ := s.store.FindBooking(context.Background(), rec.UserID, rec.ID); !found {
				return answered + ", which its buyer cannot find"
			}
		} else if there || !strings.HasPrefix(answer, "no:") {
			return answered
		}
	case what == "pays":
		settled := rec.Payment != nil && rec.Payment.ID == paymentOf(name) && (rec.Status == booking.Confirmed) == (rec.Payment.Status == booking.PaymentSucceeded)
		if answer != "done" || !settled {
			return answered
		}
	case what == "cancels":
		if answer == "done" && rec.Status != booking.Cancelled || answer != "done" && rec.Status.Live() {
			return answered
		}
	case answer != "done":
		return answered
	}
	return ""
}

// settleAndCheck lets the sweeps run until nothing is left to do, on a replica
// that has just started too, and returns what is wrong then.
func (s *simulation) settleAndCheck() string {
	s.mu.Lock()
	s.free = true
	pending := s.pending
	s.pending = nil
	s.mu.Unlock()
	for _, c := range pending {
		c.verdict <- die // a request that is never made
	}
	c := s.newReplica("C")
	ctx := context.Background()
	if err := c.service.Changed(ctx, s.def); err != nil {
		return err.Error()
	}
	replicas := []*replica{c}
	for _, r := range []*replica{s.b, s.a} {
		if !r.dead {
			replicas = append(replicas, r)
		}
	}
	s.clock.Advance(2 * time.Minute)
	sweeps := map[*replica][]*booking.OutboxSweep{}
	for range 6 { // a block is looked through once it has come to rest
		for _, r := range replicas {
			if wrong := s.sweepOn(r, sweeps); wrong != "" {
				return wrong
			}
		}
		s.clock.Advance(4 * time.Second)
		time.Sleep(time.Second)
		synctest.Wait()
	}
	if wrong := s.check(); wrong != "" {
		return "after the sweeps: " + wrong
	}
	if wrong := s.checkEnd(); wrong != "" {
		return "after the sweeps: " + wrong + "\n" + s.showStore()
	}
	return s.checkFreeSeatsSell(c)
}

func (s *simulation) sweepOn(r *replica, outbox map[*replica][]*booking.OutboxSweep) string {
	ctx := context.Background()
	if err := r.service.CorrectNow(ctx); err != nil {
		return err.Error()
	}
	for shard := range booking.Shards {
		if err := r.service.SweepHolds(ctx, shard); err != nil {
			return err.Error()
		}
		if len(outbox[r]) == shard {
			outbox[r] = append(outbox[r], r.service.NewOutboxSweep(shard))
		}
		if err := outbox[r][shard].Run(ctx); err != nil {
			return err.Error()
		}
		synctest.Wait()
	}
	return ""
}

// checkEnd checks what must be so when nothing moves any more.
func (s *simulation) checkEnd() string {
	sold := map[booking.SeatID]uuid.UUID{}
	blocks := s.stored()
	for _, block := range blocks {
		for _, rec := range block.records {
			name := s.nameOf(rec.ID)
			if rec.Status == booking.Held {
				return name + " is still held"
			}
			if len(rec.Outbox) > 0 {
				return name + " has messages that were never sent"
			}
			if rec.Status == booking.Confirmed {
				for _, seat := range rec.Seats {
					sold[seat.ID] = rec.ID
				}
			}
			created, refunds := 0, 0
			for id, m := range s.watch.messages {
				switch {
				case !s.sent[id] || !strings.HasPrefix(m, name+" "):
				case m == name+" created":
					created++
				default:
					refunds++
				}
			}
			if created == 0 && rec.Status != booking.Refused {
				return "payment-service never heard that " + name + " was made"
			}
			if (rec.Status == booking.Confirmed) == (refunds > 0) && rec.Status != booking.Refused {
				return fmt.Sprintf("%s is %s, and %d messages told payment-service that it has ended", name, rec.Status, refunds)
			}
			if s.answers[name+" pays"] == "done" && rec.Status != booking.Confirmed && refunds == 0 {
				return name + " was paid, is not confirmed, and nobody asks for the money to go back"
			}
		}
	}
	for id, m := range s.watch.messages {
		if !s.sent[id] {
			return "this message was stored and never sent: " + m
		}
	}
	for n, block := range blocks {
		for i, seat := range block.Seats {
			id := at(n+1, i)
			if owner := sold[id]; seat.Owner != owner {
				return fmt.Sprintf("seat %s belongs to %s (%s), and the confirmed booking with it is %s", id, s.nameOf(seat.Owner), seat.State, s.nameOf(owner))
			}
			if (seat.Owner == uuid.Nil) != (seat.State == booking.Available) || seat.Owner != uuid.Nil && seat.State != booking.Sold {
				return fmt.Sprintf("seat %s of %s is %s", id, s.nameOf(seat.Owner), seat.State)
			}
		}
	}
	return ""
}

// checkFreeSeatsSell holds every free seat for somebody new, some minutes later:
// when the locks of a replica that died before it took them back have lapsed.
func (s *simulation) checkFreeSeatsSell(r *replica) string {
	clear(s.locks)
	for n, block := range s.stored() {
		for i, seat := range block.Seats {
			if seat.Owner != uuid.Nil {
				continue
			}
			_, _, err := r.service.Hold(context.Background(), booking.HoldRequest{
				User: userOf("z"), Event: s.def.EventID, Seats: []booking.SeatID{at(n+1, i)},
			})
			if err != nil {
				return fmt.Sprintf("seat %s is free and cannot be held: %v", at(n+1, i), err)
			}
		}
	}
	return ""
}
