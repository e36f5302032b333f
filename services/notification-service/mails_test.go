package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func eventChanged(event uuid.UUID, version int64, name string) events.EventChanged {
	start := time.Date(2027, 5, 1, 18, 0, 0, 0, time.UTC)
	return events.EventChanged{
		EventID: event, Version: version, Status: events.StatusPublished, OrganizerID: uuid.New(), Name: name,
		VenueName: "Arena", TimeZone: "Europe/Berlin", StartsAt: start, EndsAt: start.Add(2 * time.Hour), Currency: "EUR",
		SaleStartsAt: start.AddDate(0, -1, 0), SaleEndsAt: start, MaxSeatsPerBuyer: 8, HoldSeconds: 600,
		TicketTypes: []events.TicketType{{ID: "a", Name: "Adult", Category: "c", Price: 4200}},
		Blocks: []events.Block{{
			Section: "A", Rows: []events.Row{{Label: "1", First: 1, Runs: []events.Run{{Category: "c", Count: 10}}}},
		}},
	}
}

func TestEachMessageIsMailedOnce(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.sink.Start(t)
	p.start(t)
	want := map[string]int{} // mails by address
	var all []any
	add := func(a events.Account, messages ...any) {
		want[a.Email]++
		all = append(all, messages...)
	}
	for _, kind := range []events.MailKind{
		events.MailVerifyEmail, events.MailAlreadyRegistered, events.MailResetPassword, events.MailConfirmOldEmail,
		events.MailConfirmNewEmail, events.MailPasswordChanged, events.MailEmailChanged, events.MailSecondFactorChanged,
		events.MailAccountDeleted,
	} {
		// The account need not exist: the message has the recipient.
		a := events.Account{UserID: uuid.New(), Email: string(kind) + "@example.com", Name: "Bob", Language: "en"}
		add(a, accountMail(kind, a))
	}
	event, tomorrow := uuid.New(), p.buyer()
	confirmed := p.book(p.buyer(), uuid.New(), rest.BookingStatusConfirmed)
	changed := p.book(tomorrow, event, rest.BookingStatusConfirmed)
	held := p.book(p.buyer(), uuid.New(), rest.BookingStatusHeld)
	refunded := p.book(p.buyer(), uuid.New(), rest.BookingStatusCancelled)
	account := func(b events.BookingRecord) events.Account { return p.peers.accounts[b.UserID] }
	add(account(confirmed), confirmation(confirmed))
	add(tomorrow, confirmation(changed))
	add(account(held), events.PaymentFailed{
		PaymentID: uuid.New(), BookingID: held.BookingID, EventID: held.EventID, FailureCode: "card_declined",
		FailedAt: time.Now().UTC(),
	})
	add(account(refunded), events.PaymentConfirmed{
		PaymentID: uuid.New(), BookingID: refunded.BookingID, EventID: refunded.EventID, Amount: refunded.Total,
		CapturedAt: time.Now().UTC(),
	}, events.PaymentRefunded{
		PaymentID: uuid.New(), BookingID: refunded.BookingID, EventID: refunded.EventID, Amount: refunded.Total,
		Reason: events.CancelledByBuyer, RefundedAt: time.Now().UTC(),
	})
	p.publish(t, all...)
	p.settledWith(t, len(want))
	p.publish(t, eventChanged(event, 1, "Dawn"), eventChanged(event, 2, "Dusk"))
	want[tomorrow.Email]++
	p.settledWith(t, len(want)+1)

	// Everything again, and then something new.
	p.publish(t, append(all, eventChanged(event, 1, "Dawn"), eventChanged(event, 2, "Dusk"))...)
	more := p.markers(t)
	p.settledWith(t, len(want)+1+more)

	got := map[string]int{}
	ids := map[string]bool{}
	for _, m := range p.sink.Mails("") {
		if !strings.HasPrefix(m.To, "marker") {
			got[m.To]++
		}
		ids[m.MessageID] = true
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("mails %v, want %v", got, want)
	}
	if n := len(p.sink.Mails("")); len(ids) != n {
		t.Errorf("%d Message-IDs for %d mails", len(ids), n)
	}
	tickets := p.sink.Mails(account(confirmed).Email)
	raw := string(tickets[0].Raw)
	if !strings.Contains(raw, "application/pdf") || !strings.Contains(raw, "text/calendar") {
		t.Errorf("the mail with the tickets lacks an attachment:\n%.2000s", raw)
	}
	if n := p.count(t, `SELECT count(*) FROM mails WHERE content <> '{}' OR trace IS NOT NULL`); n != 0 {
		t.Errorf("%d sent mails still hold what they said", n)
	}
}

// settledWith waits until n mails are sent and none is due.
func (p *program) settledWith(t *testing.T, n int) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("%d mails are sent", n), func() bool {
		return p.count(t, `SELECT count(*) FROM mails WHERE state = 'sent'`) >= int64(n)
	})
	p.settled(t)
}

// markers publishes a last message to each topic that makes one mail each, and
// returns their number. When they are sent, all messages before them have been
// handled.
func (p *program) markers(t *testing.T) int {
	t.Helper()
	buyer := events.Account{UserID: uuid.New(), Email: uuid.NewString() + "@example.com", Name: "Marker", Language: "en"}
	buyer.Email = "marker" + buyer.Email
	p.peers.mu.Lock()
	p.peers.accounts[buyer.UserID] = buyer
	p.peers.mu.Unlock()
	first := p.book(buyer, uuid.New(), rest.BookingStatusConfirmed)
	second := p.book(buyer, uuid.New(), rest.BookingStatusConfirmed)
	p.publish(t, confirmation(first), confirmation(second))
	p.stored(t, "tickets/"+first.BookingID.String(), "tickets/"+second.BookingID.String())
	p.publish(t, cancellation(first, events.EventCancelled), accountMail(events.MailPasswordChanged, buyer),
		eventChanged(second.EventID, 1, "Dawn"), eventChanged(second.EventID, 2, "Dusk"), events.PaymentRefunded{
			PaymentID: uuid.New(), BookingID: first.BookingID, EventID: first.EventID, Amount: first.Total,
			Reason: events.EventCancelled, RefundedAt: time.Now().UTC(),
		})
	return 6
}

func TestCancelledEventIsMailedInWhateverOrderItsMessagesArrive(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.sink.Start(t)
	p.start(t)
	buyer := p.buyer()
	book := func() events.BookingRecord { return p.book(buyer, uuid.New(), rest.BookingStatusCancelled) }
	late, early, byBuyer, unpaid, expired := book(), book(), book(), book(), book()
	// The cancellation arrives before the confirmation.
	p.publish(t, cancellation(early, events.EventCancelled), cancellation(byBuyer, events.CancelledByBuyer),
		cancellation(unpaid, events.EventCancelled), cancellation(expired, events.HoldExpired))
	testkit.Eventually(t, "the cancellations are known", func() bool {
		return p.count(t, `SELECT count(*) FROM bookings WHERE cancel_reason <> ''`) == 3
	})
	p.publish(t, confirmation(early), confirmation(byBuyer), confirmation(late))
	p.stored(t, "tickets/"+late.BookingID.String())
	p.publish(t, cancellation(late, events.EventCancelled), cancellation(late, events.CancelledByBuyer))
	p.stored(t, "event_cancelled/"+late.BookingID.String(), "event_cancelled/"+early.BookingID.String())
	p.settledWith(t, 2+p.markers(t))
	if n := len(p.sink.Mails(buyer.Email)); n != 2 {
		t.Errorf("%d mails, want one for each paid booking of a cancelled event", n)
	}
	if n := p.count(t, `SELECT count(*) FROM mails WHERE kind = 'tickets' AND state = 'dropped'`); n != 3 {
		t.Errorf("%d mails with tickets of ended bookings were dropped, want 3", n)
	}
}

func TestChangedEventIsMailedToEachBuyerOnce(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.sink.Start(t)
	p.start(t)
	event := uuid.New()
	two, one, gone, stranger := p.buyer(), p.buyer(), p.buyer(), p.buyer()
	left := p.book(gone, event, rest.BookingStatusCancelled)
	p.publish(t, eventChanged(event, 3, "Dawn"),
		confirmation(p.book(two, event, rest.BookingStatusConfirmed)),
		confirmation(p.book(two, event, rest.BookingStatusConfirmed)),
		confirmation(p.book(one, event, rest.BookingStatusConfirmed)), confirmation(left),
		confirmation(p.book(stranger, uuid.New(), rest.BookingStatusConfirmed)), cancellation(left, events.CancelledByBuyer))
	testkit.Eventually(t, "the bookings are known", func() bool {
		return p.count(t, `SELECT count(*) FROM bookings WHERE confirmed`) == 5 &&
			p.count(t, `SELECT count(*) FROM bookings WHERE cancel_reason <> ''`) == 1
	})
	sale := eventChanged(event, 4, "Dawn")
	sale.SaleEndsAt = sale.SaleEndsAt.Add(-time.Hour) // is nobody's business
	later := eventChanged(event, 5, "Dawn")
	later.StartsAt = later.StartsAt.Add(time.Hour)
	old := eventChanged(event, 2, "Noon")
	cancelled := later
	cancelled.Version, cancelled.Status, cancelled.Name = 6, events.StatusCancelled, "Never"
	p.publish(t, sale, later, old, later, cancelled)
	p.markers(t)
	reason := fmt.Sprintf("event_changed/%s/5/", event)
	p.stored(t, reason+two.UserID.String(), reason+one.UserID.String())
	p.settledWith(t, 4+2+6)
	want := map[string]int{two.Email: 3, one.Email: 2, gone.Email: 0, stranger.Email: 1}
	for to, n := range want {
		if got := p.sink.Mails(to); len(got) != n {
			var subjects []string
			for _, m := range got {
				subjects = append(subjects, m.Subject)
			}
			t.Errorf("%d mails, want %d: %v", len(got), n, subjects)
		}
	}
}

func TestPoisonMessageDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.sink.Start(t)
	p.start(t)
	ann := p.buyer()
	good, unknown := accountMail(events.MailPasswordChanged, ann), accountMail("newsletter", ann)
	noAddress, unstorable := accountMail(events.MailPasswordChanged, ann), accountMail(events.MailPasswordChanged, ann)
	noAddress.Account.Email = ""
	unstorable.Account.Name = "An\x00n"
	p.publishUnchecked(t, unknown, noAddress, unstorable, good)
	p.becomes(t, "account/"+good.ID.String(), "sent")
	if n := p.count(t, `SELECT count(*) FROM mails`); n != 1 {
		t.Errorf("%d mails are stored, want 1", n)
	}
}

func TestDeletedAccountGetsNoMail(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.sink.Start(t)
	p.start(t)
	b := p.book(events.Account{UserID: uuid.New()}, uuid.New(), rest.BookingStatusConfirmed)
	p.publish(t, confirmation(b))
	p.becomes(t, "tickets/"+b.BookingID.String(), "dropped")
	if mails := p.sink.Mails(""); len(mails) != 0 {
		t.Errorf("%d mails", len(mails))
	}
}

func TestMailWaitsForTheRecordsItNeeds(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.sink.Start(t)
	p.start(t)
	buyer := p.buyer()
	b := p.book(buyer, uuid.New(), rest.BookingStatusHeld) // a replica that lags behind
	p.publish(t, confirmation(b))
	testkit.Eventually(t, "it was tried", func() bool {
		return p.count(t, `SELECT count(*) FROM mails WHERE last_error <> '' AND state = 'due'`) == 1
	})
	b.Status = string(rest.BookingStatusConfirmed)
	p.setBooking(b)
	p.becomes(t, "tickets/"+b.BookingID.String(), "sent")
	if n := len(p.sink.Mails(buyer.Email)); n != 1 {
		t.Errorf("%d mails", n)
	}
}
