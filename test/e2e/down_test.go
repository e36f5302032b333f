package e2e

import (
	"net/http"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

// One test for each row of "What happens when a part is down".

func TestRedisDownHoldsGoStraightToCassandra(t *testing.T) {
	s := newSale(t, nil)
	first, second := newBuyer(t), newBuyer(t)
	before := hold(t, first, s.seats("1-0"))
	verify(t, first, second) // the gateway now has both sessions in its cache
	unseen := must(visitor().Login(t.Context(), second.user.Email, password))(t).SessionID
	stop(t, "redis")

	t.Run("a held seat stays held", func(t *testing.T) {
		_, err := second.Hold(t.Context(), s.seats("1-0"), "")
		wantCode(t, err, 409, "seats_taken")
	})
	t.Run("a free seat can be held and paid", func(t *testing.T) {
		b := hold(t, second, s.seats("1-1", "1-2"))
		pay(t, second, b.ID, "pm_ok")
		awaitBooking(t, second, b.ID, "confirmed")
	})
	mustSucceed(t, "viewing", views(t, s))
	wantUnavailable(t, "a session nobody has cached", func() error {
		_, err := visitor().WithSession(unseen).Me(t.Context())
		return err
	})

	start(t, "redis")
	// It has restarted empty or with old locks; either way seats are sold once.
	_, err := second.Hold(t.Context(), s.seats("1-0"), "")
	wantCode(t, err, 409, "seats_taken")
	_, err = first.Hold(t.Context(), s.seats("1-1"), "")
	wantCode(t, err, 409, "seats_taken")
	pay(t, first, before.ID, "pm_ok")
	awaitBooking(t, first, before.ID, "confirmed")
	buy(t, newBuyer(t), s.best("front", 2))
	checkLedger(t, s, 5*frontPrice)
}

func TestCassandraDownBrowsingContinuesAndPaymentsFinishLater(t *testing.T) {
	s := newSale(t, nil)
	buyer, other := newBuyer(t), newBuyer(t)
	booking := hold(t, buyer, s.seats("1-0"))
	payment := pay(t, buyer, booking.ID, "pm_slow")
	stop(t, "cassandra")

	wantUnavailable(t, "a hold", holds(t, other, s.seats("1-1")))
	mustSucceed(t, "viewing", views(t, s))
	mustSucceed(t, "searching", func() error { _, err := visitor().Events(t.Context(), nil); return err })
	mustSucceed(t, "logging in", logsIn(t, other))
	awaitPayment(t, buyer, payment.ID, "succeeded")

	start(t, "cassandra")
	awaitBooking(t, buyer, booking.ID, "confirmed")
	buy(t, other, s.seats("1-1"))
	checkLedger(t, s, 2*frontPrice)
}

func TestKafkaDownPaymentsAreAcceptedAndConfirmedLater(t *testing.T) {
	s := newSale(t, nil)
	buyer, other := newBuyer(t), newBuyer(t)
	verify(t, buyer, other)
	stop(t, "kafka")

	booking := hold(t, buyer, s.seats("1-0")) // its message can't have arrived
	payment := pay(t, buyer, booking.ID, "pm_ok")
	awaitPayment(t, buyer, payment.ID, "succeeded")
	during := must(other.Hold(t.Context(), s.seats("1-1"), ""))(t)
	cancelled := must(other.Hold(t.Context(), s.seats("1-2"), ""))(t)
	must(other.CancelBooking(t.Context(), cancelled.ID))(t)
	mustSucceed(t, "viewing", views(t, s))
	mustSucceed(t, "logging in", logsIn(t, other))
	draft := must(s.organizer.CreateEvent(t.Context(), draftOf(s.venue)))(t)
	published := must(s.organizer.Publish(t.Context(), draft.ID))(t)
	if b := must(buyer.Booking(t.Context(), booking.ID))(t); b.Status != "held" {
		t.Errorf("without Kafka the booking is %s: is it really down?", b.Status)
	}

	start(t, "kafka")
	awaitBooking(t, buyer, booking.ID, "confirmed")
	pay(t, other, during.ID, "pm_ok")
	awaitBooking(t, other, during.ID, "confirmed")
	testkit.Eventually(t, "the event published meanwhile is on sale", func() bool {
		_, err := other.Hold(t.Context(), client.NewBooking{EventID: published.ID, SeatIDs: []string{"1-0"}}, "")
		return err == nil
	})
	checkLedger(t, s, 2*frontPrice)
}

func TestPostgresDownEventsAreViewedFromCachedCopies(t *testing.T) {
	s := newSale(t, nil)
	buyer := newBuyer(t)
	verify(t, buyer)
	mustSucceed(t, "viewing", views(t, s))
	mustSucceed(t, "viewing the venue", func() error { _, err := visitor().Venue(t.Context(), s.venue.ID); return err })
	stop(t, "postgres")

	testkit.Eventually(t, "the event is shown, and marked stale", func() bool {
		resp, err := visitor().Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/events/" + s.event.ID})
		return err == nil && resp.Status == http.StatusOK && resp.Header.Get("X-Frontrow-Stale") == "true" && resp.Header.Get("Age") != ""
	})
	wantUnavailable(t, "editing", func() error {
		_, err := s.organizer.PatchEvent(t.Context(), s.event.ID, s.event.Version, map[string]any{"name": "New"})
		return err
	})
	booking := hold(t, buyer, s.seats("1-0"))

	start(t, "postgres")
	event := must(s.organizer.Event(t.Context(), s.event.ID))(t)
	must(s.organizer.PatchEvent(t.Context(), event.ID, event.Version, map[string]any{"name": "New"}))(t)
	pay(t, buyer, booking.ID, "pm_ok")
	awaitBooking(t, buyer, booking.ID, "confirmed")
	checkLedger(t, s, frontPrice)
}

func TestConsulDownLastKnownAddressesAreUsed(t *testing.T) {
	s := newSale(t, nil)
	short := newSale(t, func(e *client.NewEvent) { e.HoldSeconds = 5 })
	buyer, other := newBuyer(t), newBuyer(t)
	verify(t, buyer)
	stop(t, "consul")

	mustSucceed(t, "viewing", views(t, s))
	mustSucceed(t, "logging in", logsIn(t, buyer))
	buy(t, buyer, s.seats("1-0"))
	expiring := hold(t, other, short.seats("1-0"))
	_, err := buyer.Hold(t.Context(), short.seats("1-0"), "")
	wantCode(t, err, 409, "seats_taken")
	// There is no leader, but another buyer can take the seat once the hold is
	// over, and an unwanted hold ends a little late.
	taken, won := holdOnceFree(t, buyer, short.seats("1-0"), other, expiring.ID)
	if !won {
		t.Fatal("an unpaid booking was confirmed")
	}
	pay(t, buyer, taken.ID, "pm_ok")
	awaitBooking(t, buyer, taken.ID, "confirmed")
	forgotten := hold(t, other, short.seats("1-9"))
	awaitBooking(t, other, forgotten.ID, "expired")

	start(t, "consul")
	awaitBooking(t, other, expiring.ID, "expired")
	checkLedger(t, s, frontPrice)
	checkLedger(t, short, frontPrice)
}

func TestOneReplicaDownIsNotNoticed(t *testing.T) {
	for _, replica := range []string{"booking-service-1", "booking-service-2", "booking-service-3", "payment-service-1", "payment-service-2"} {
		t.Run(replica, func(t *testing.T) {
			s := newSale(t, nil)
			buyers := newBuyers(t, 3)
			stop(t, replica)
			for i, buyer := range buyers {
				key := newKey()
				booking := must(buyer.Hold(t.Context(), s.seats(seatID(1, 2*i), seatID(1, 2*i+1)), key))(t)
				must(buyer.Pay(t.Context(), booking.ID, "pm_ok", newKey()))(t)
				must(buyer.Bookings(t.Context(), nil))(t)
				must(visitor().Seats(t.Context(), s.event.ID))(t)
				awaitBooking(t, buyer, booking.ID, "confirmed")
			}
			checkLedger(t, s, 6*frontPrice)
		})
	}
}

func TestAuthDownOnlyLoginsAreRefused(t *testing.T) {
	s := newSale(t, nil)
	buyer := newBuyer(t)
	verify(t, buyer)
	stop(t, "auth-service")
	wantUnavailable(t, "logging in", logsIn(t, buyer))
	wantUnavailable(t, "registering", func() error { return visitor().Register(t.Context(), newEmail(), password, "A") })
	mustSucceed(t, "viewing", views(t, s))
	buy(t, buyer, s.seats("1-0"))
	start(t, "auth-service")
	mustSucceed(t, "logging in", logsIn(t, buyer))
	checkLedger(t, s, frontPrice)
}

func TestPaymentDownOnlyPayingIsRefused(t *testing.T) {
	s := newSale(t, nil)
	buyer := newBuyer(t)
	stop(t, "payment-service-1", "payment-service-2")
	booking := hold(t, buyer, s.seats("1-0"))
	wantUnavailable(t, "paying", func() error { _, err := buyer.Pay(t.Context(), booking.ID, "pm_ok", ""); return err })
	mustSucceed(t, "viewing", views(t, s))
	mustSucceed(t, "logging in", logsIn(t, buyer))
	start(t, "payment-service-1", "payment-service-2")
	pay(t, buyer, booking.ID, "pm_ok")
	awaitBooking(t, buyer, booking.ID, "confirmed")
	checkLedger(t, s, frontPrice)
}

func TestProviderDownPaymentsWait(t *testing.T) {
	s := newSale(t, nil)
	buyer := newBuyer(t)
	stop(t, "psp-simulator")
	booking := hold(t, buyer, s.seats("1-0"))
	paid := pay(t, buyer, booking.ID, "pm_ok")
	if now := must(buyer.Payment(t.Context(), paid.ID))(t); now.Status != "processing" {
		t.Errorf("the payment is %s", now.Status)
	}
	start(t, "psp-simulator")
	awaitBooking(t, buyer, booking.ID, "confirmed")
	checkLedger(t, s, frontPrice)
}

// Events can be viewed while everything except event-service and its database
// is down.
func TestEventsAreViewedWhileTheRestIsDown(t *testing.T) {
	s := newSale(t, nil)
	stop(t, "booking-service-1", "booking-service-2", "booking-service-3", "payment-service-1", "payment-service-2",
		"auth-service", "kafka", "cassandra", "consul")
	mustSucceed(t, "viewing", views(t, s))
	mustSucceed(t, "searching", func() error { _, err := visitor().Events(t.Context(), nil); return err })
}
