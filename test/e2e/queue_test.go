package e2e

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/queue"
	"github.com/frontrow-tickets/frontrow/test/queue/check"
	"github.com/frontrow-tickets/frontrow/test/queue/history"
)

// queuedSale is an event that always has a queue, and what its clients saw.
type queuedSale struct {
	sale
	recorder *history.Recorder
	streams  int
}

// newQueuedSale puts an event on sale whose queue is open.
func newQueuedSale(t *testing.T, v client.NewVenue, change func(*client.NewEvent)) *queuedSale {
	t.Helper()
	return &queuedSale{recorder: history.NewRecorder(), sale: newSaleIn(t, v, func(e *client.NewEvent) {
		e.Queue = client.QueueSettings{Mode: "always"}
		if change != nil {
			change(e)
		}
	})}
}

// person is an account that records its calls about the event.
func (s *queuedSale) person(a account) *queue.Person {
	return &queue.Person{Client: a.Client, Who: a.user.Email, EventID: s.event.ID, Recorder: s.recorder}
}

// watch records the queue's frames from a gateway. The function returned gives
// the last one.
func (s *queuedSale) watch(t *testing.T, gateway *client.Client) (last func() client.Queue) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var mu sync.Mutex
	var queueNow client.Queue
	w := queue.Watcher{Client: gateway, EventID: s.event.ID, Recorder: s.recorder, Stream: s.streams, Frame: func(q client.Queue) {
		mu.Lock()
		defer mu.Unlock()
		queueNow = q
	}}
	s.streams++
	var done sync.WaitGroup
	done.Go(func() {
		if err := w.Watch(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		done.Wait()
	})
	last = func() client.Queue {
		mu.Lock()
		defer mu.Unlock()
		return queueNow
	}
	testkit.Eventually(t, "the first frame of the queue", func() bool { return last().Version > 0 })
	return last
}

// check fails the test if the history breaks a rule of the queue.
func (s *queuedSale) check(t *testing.T) {
	t.Helper()
	report := must(s.organizer.QueueReport(t.Context(), s.event.ID))(t)
	verdicts := check.All(check.Observations{
		Recorder: s.recorder, Entered: report.Entered, Admission: time.Duration(s.event.Queue.AdmissionSeconds) * time.Second,
	})
	for _, v := range verdicts {
		t.Log(v)
		for _, text := range v.Violations {
			t.Error(text)
		}
	}
}

// join enters the queue; invite may be empty.
func join(t *testing.T, p *queue.Person, invite string) client.Place {
	t.Helper()
	return must(p.Join(t.Context(), invite))(t)
}

// awaitPlace says that the person is here until the place has a state.
func awaitPlace(t *testing.T, p *queue.Person, state string) (place client.Place) {
	t.Helper()
	testkit.Eventually(t, p.Who+" becomes "+state, func() bool {
		var err error
		place, err = p.Come(t.Context())
		return err == nil && place.State == state
	})
	return place
}

// admit lets a person join and returns the place when it is their turn.
func admit(t *testing.T, p *queue.Person) client.Place {
	t.Helper()
	join(t, p, "")
	return awaitPlace(t, p, "admitted")
}

func TestQueueAdmitsAndAHoldNeedsTheAdmission(t *testing.T) {
	s := newQueuedSale(t, plan(1, 10), nil)
	last := s.watch(t, visitor())
	p := s.person(newBuyer(t))
	first := join(t, p, "")
	if first.Lane != "general" || first.Number != 1 {
		t.Errorf("the first place: %+v", first)
	}
	again := must(s.person(must(login(t, p.Who))(t)).Come(t.Context()))(t) // another session
	if again.Lane != first.Lane || again.Number != first.Number {
		t.Errorf("another session has the place %+v, want %+v", again, first)
	}
	place := awaitPlace(t, p, "admitted")
	booking := must(p.Hold(t.Context(), s.seats("1-0"), place.Admission, newKey()))(t)
	must(p.Pay(t.Context(), booking.ID, "pm_ok", newKey()))(t)
	awaitBooking(t, account{Client: p.Client}, booking.ID, "confirmed")
	renewed := must(p.Look(t.Context()))(t)
	if !renewed.Until.After(place.Until) {
		t.Errorf("the hold has not renewed the admission: until %s, then %s", place.Until, renewed.Until)
	}
	testkit.Eventually(t, "the stream shows the call", func() bool { return last().Lanes.General.Serving == 1 })
	s.check(t)
}

func TestHoldsAndSeatStreamAreRefusedWithoutAnAdmission(t *testing.T) {
	s, other := newQueuedSale(t, plan(1, 10), nil), newQueuedSale(t, plan(1, 10), nil)
	buyer := newBuyer(t)
	admitted := s.person(newBuyer(t))
	admission := admit(t, admitted).Admission
	elsewhere := admit(t, other.person(buyer)).Admission
	for name, token := range map[string]string{
		"none": "", "a malformed one": "admission", "one of somebody else": admission, "one of another event": elsewhere,
		"a forged one": elsewhere[:len(elsewhere)/2] + admission[len(admission)/2:],
	} {
		t.Run(name, func(t *testing.T) {
			p := s.person(buyer)
			_, err := p.Hold(t.Context(), s.seats("1-0"), token, newKey())
			wantCode(t, err, 403, "queue_required")
			resp := must(buyer.Do(t.Context(), client.Request{
				Method: http.MethodGet, Path: "/events/" + s.event.ID + "/seats/stream", Query: map[string][]string{"admission": {token}},
			}))(t)
			var problem struct{ Code, Queue string }
			decode(t, "Problem", string(resp.Body), &problem)
			if resp.Status != 403 || problem.Code != "queue_required" || problem.Queue != "/api/v1/events/"+s.event.ID+"/queue" {
				t.Errorf("the stream of seats: %d %+v", resp.Status, problem)
			}
		})
	}
	t.Run("the admitted and the organiser follow the seats", func(t *testing.T) {
		for _, c := range []*client.Client{admitted.WithAdmission(admission), s.organizer.Client} {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			events := must(c.Stream(ctx, s.event.ID, ""))(t)
			if first := <-events; first.Event != "snapshot" {
				t.Errorf("the first event is %q", first.Event)
			}
		}
	})
	if states := s.states(t, "1"); states != "aaaaaaaaaa" {
		t.Errorf("the seats are %s", states)
	}
	s.check(t)
}

// Whoever gets past the gateway with a valid admission token, but without a
// place, holds nothing.
func TestBookingServiceRefusesHoldsWithoutAPlace(t *testing.T) {
	s := newQueuedSale(t, plan(1, 10), nil)
	user := uuid.Must(uuid.NewV7())
	signer := must(identity.NewSigner(identity.AdmissionAudience, identityKey("booking-service")))(t)
	token := signer.Admit(identity.Admission{Event: uuid.MustParse(s.event.ID), User: user, Until: time.Now().Add(time.Minute)})
	caller := gatewayIdentity(t, "booking-service").Sign(identity.Identity{
		UserID: user, Role: identity.Customer, Email: newEmail(), Verified: true,
	})
	for _, replica := range []string{"booking-service-1", "booking-service-2", "booking-service-3"} {
		address := must(running.Address(replica))(t)
		resp := must(client.New("http://"+address+"/api/v1", nil).Do(t.Context(), client.Request{
			Method: http.MethodPost, Path: "/bookings", Body: s.seats("1-0"),
			Header: http.Header{identity.Header: {caller}, "Frontrow-Admission": {token}},
		}))(t)
		if p := resp.Problem(); resp.Status != 403 || p.Code != "queue_required" {
			t.Errorf("%s: got %d %s, want 403 queue_required", replica, resp.Status, p.Code)
		}
	}
}

func TestExpiredAdmissionIsRefusedAndThePlaceIsGone(t *testing.T) {
	s := newQueuedSale(t, plan(1, 10), func(e *client.NewEvent) { e.Queue.AdmissionSeconds = 15 })
	s.watch(t, visitor())
	p := s.person(newBuyer(t))
	place := admit(t, p)
	testkit.Eventually(t, "the admission expires", func() bool {
		_, err := p.Look(t.Context())
		return client.IsCode(err, "not_found")
	})
	if time.Now().Before(place.Until) {
		t.Errorf("the place is gone before %s", place.Until)
	}
	_, err := p.Hold(t.Context(), s.seats("1-0"), place.Admission, newKey())
	wantCode(t, err, 403, "queue_required")
	_, err = p.Come(t.Context())
	wantCode(t, err, 422, "challenge_failed")
	if again := join(t, p, ""); again.Lane != "general" || again.Number != place.Number+1 {
		t.Errorf("the place after %s %d is %s %d", place.Lane, place.Number, again.Lane, again.Number)
	}
	awaitPlace(t, p, "admitted")
	s.check(t)
}

func TestWhoLeavesGivesTheirPlaceOn(t *testing.T) {
	s := newQueuedSale(t, plan(1, 10), nil)
	s.watch(t, visitor())
	p := s.person(newBuyer(t))
	place := admit(t, p)
	for range 2 { // it is idempotent
		if err := p.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := p.Look(t.Context())
	wantCode(t, err, 404, "not_found")
	_, err = p.Hold(t.Context(), s.seats("1-0"), place.Admission, newKey())
	wantCode(t, err, 403, "queue_required")
	s.check(t)
}

func TestChallengeIsForOneAccountAndEvent(t *testing.T) {
	s, other := newQueuedSale(t, plan(1, 10), nil), newQueuedSale(t, plan(1, 10), nil)
	buyer, stranger := newBuyer(t), newBuyer(t)
	challenge := must(buyer.QueueChallenge(t.Context(), s.event.ID))(t)
	if challenge.Kind != "proof_of_work" {
		t.Fatalf("the challenge is %+v", challenge)
	}
	solved := client.PlaceRequest{Challenge: challenge.Challenge, Solution: queue.Solve(challenge)}
	for name, take := range map[string]func() (client.Place, error){
		"without a challenge": func() (client.Place, error) { return buyer.TakePlace(t.Context(), s.event.ID, client.PlaceRequest{}) },
		"with a wrong solution": func() (client.Place, error) {
			return buyer.TakePlace(t.Context(), s.event.ID, client.PlaceRequest{Challenge: challenge.Challenge, Solution: "x"})
		},
		"for another event":   func() (client.Place, error) { return buyer.TakePlace(t.Context(), other.event.ID, solved) },
		"for another account": func() (client.Place, error) { return stranger.TakePlace(t.Context(), s.event.ID, solved) },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := take()
			wantCode(t, err, 422, "challenge_failed")
		})
	}
	must(buyer.TakePlace(t.Context(), s.event.ID, solved))(t)
	testkit.Eventually(t, "the report counts the failures", func() bool {
		report := must(s.organizer.QueueReport(t.Context(), s.event.ID))(t)
		return report.Refused.ChallengeFailed >= 3
	})
}
