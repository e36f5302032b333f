package e2e

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

// The mail server is away while 200 bookings are confirmed, and
// notification-service is killed twice: while it stores the mails and while it
// sends them.
func TestEveryBuyerGetsTicketsOnceDespiteAnAbsentMailServerAndKills(t *testing.T) {
	const count = 200
	name := "Concert " + newKey()
	s := newSaleIn(t, plan(8, count/8), func(e *client.NewEvent) { e.Name = name })
	mails := newMailbox(t, name)
	buyers, bookings := newBuyers(t, count), make([]string, count)
	verify(t, buyers...)
	concurrently(t, count, func(i int) error {
		booking, err := buyers[i].Hold(t.Context(), s.seats(seatID(1, i)), "")
		bookings[i] = "tickets/" + booking.ID
		return err
	})
	payFrom := func(first, end int) {
		concurrently(t, end-first, func(i int) error {
			_, err := buyers[first+i].Pay(t.Context(), strings.TrimPrefix(bookings[first+i], "tickets/"), "pm_ok", "")
			return err
		})
	}

	stop(t, "mailpit")
	away := time.Now()
	payFrom(0, count/2)
	testkit.Eventually(t, "the first mails are stored", func() bool { return mails.stored(t, bookings, "true") > 0 })
	t.Logf("first kill: %d of %d mails are stored", mails.stored(t, bookings, "true"), count)
	kill(t, "notification-service")
	payFrom(count/2, count)
	testkit.Eventually(t, "all mails are stored and were tried", func() bool { return mails.stored(t, bookings, "tries > 0") == count })
	if sent := mails.stored(t, bookings, "state = 'sent'"); sent > 0 {
		t.Fatalf("%d mails count as sent without a mail server", sent)
	}

	start(t, "mailpit")
	t.Logf("the mail server was away for %v", time.Since(away).Round(time.Second))
	testkit.Eventually(t, "mails are being sent", func() bool { return len(mails.arrived(t)) >= count/10 })
	kill(t, "notification-service")
	arrived := len(mails.arrived(t))
	t.Logf("second kill: %d of %d mails have arrived", arrived, count)
	if arrived >= count {
		t.Fatal("the kill came too late: all mails had been sent")
	}
	// Nobody sends what the killed process was sending until its lease is over.
	await(t, 5*time.Minute, "all mails are sent", func() bool { return mails.stored(t, bookings, "state = 'sent'") == count })

	byMessageID, of := map[string]string{}, map[string]int{}
	copies := 0
	for _, m := range mails.arrived(t) {
		to := m.To[0].Address
		switch byMessageID[m.MessageID] {
		case "":
			byMessageID[m.MessageID] = to
			of[to]++
		case to:
			copies++ // accepted just before the kill; a receiver discards it
		default:
			t.Errorf("the Message-ID %s is used for two people", m.MessageID)
		}
	}
	t.Logf("%d mails to %d buyers have arrived, and %d copies with a Message-ID that had arrived", len(byMessageID), len(of), copies)
	for _, buyer := range buyers {
		if of[buyer.user.Email] != 1 {
			t.Errorf("a buyer got %d different mails", of[buyer.user.Email])
		}
	}
	if len(byMessageID) != count {
		t.Errorf("%d Message-IDs", len(byMessageID))
	}
	checkTicketMail(t, buyers[0], name)
	checkLedger(t, s, count*frontPrice)
}

// checkTicketMail checks that the mail with the tickets has them attached.
func checkTicketMail(t *testing.T, buyer account, event string) {
	t.Helper()
	for _, m := range must(client.Mails(t.Context(), buyer.user.Email))(t) {
		if !strings.Contains(m.Subject, event) {
			continue
		}
		var types []string
		for _, a := range m.Attachments {
			types = append(types, a.ContentType)
		}
		slices.Sort(types)
		if !slices.Equal(types, []string{"application/pdf", "text/calendar"}) {
			t.Errorf("the mail %q has %v attached", m.Subject, types)
		}
		return
	}
	t.Error("no mail names the event")
}

// await is testkit.Eventually for what takes longer.
func await(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for !condition() {
		if !clock.Sleep(ctx, 500*time.Millisecond) {
			t.Fatalf("condition not met within %v: %s", limit, what)
		}
	}
}

// mailbox shows the mails about one event: those that notification-service has
// stored, and those that have arrived.
type mailbox struct {
	event string
	store *pgx.Conn
}

func newMailbox(t *testing.T, event string) mailbox {
	t.Helper()
	address := must(url.Parse(running.Postgres))(t)
	address.Path = "/notifications"
	conn := must(pgx.Connect(t.Context(), address.String()))(t)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return mailbox{event: event, store: conn}
}

// stored counts the mails with these reasons for which an SQL condition holds.
func (m mailbox) stored(t *testing.T, reasons []string, condition string) (n int) {
	t.Helper()
	query := "SELECT count(*) FROM mails WHERE reason = ANY($1) AND " + condition
	if err := m.store.QueryRow(t.Context(), query, reasons).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (m mailbox) arrived(t *testing.T) []client.FoundMail {
	t.Helper()
	return must(client.FindMails(t.Context(), `subject:"`+m.event+`"`))(t)
}
