package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/queue"
)

// control sets how the queue admits people.
func (s *queuedSale) control(t *testing.T, state string, maxPerMinute int) client.QueueReport {
	t.Helper()
	return must(s.organizer.ControlQueue(t.Context(), s.event.ID, client.QueueControl{State: state, MaxPerMinute: maxPerMinute}))(t)
}

func TestOrganizerPausesAndStopsTheQueue(t *testing.T) {
	s := newQueuedSale(t, plan(1, 10), nil)
	last := s.watch(t, visitor())
	if r := s.control(t, "paused", 0); r.Control.State != "paused" {
		t.Errorf("the report says %+v", r.Control)
	}
	waiting, outside := s.person(newBuyer(t)), newBuyer(t)
	join(t, waiting, "")
	testkit.Eventually(t, "the report says why nobody is called", func() bool {
		r := must(s.organizer.QueueReport(t.Context(), s.event.ID))(t)
		return r.Reason == "paused" && r.Queue.Lanes.General.Waiting == 1
	})
	testkit.Eventually(t, "everybody sees the pause", func() bool { return last().State == "paused" })
	if place := must(waiting.Come(t.Context()))(t); place.State != "waiting" {
		t.Errorf("during the pause the place is %s", place.State)
	}

	s.control(t, "running", 60)
	awaitPlace(t, waiting, "admitted")
	_, err := outside.Hold(t.Context(), s.seats("1-0"), newKey())
	wantCode(t, err, 403, "queue_required")

	s.control(t, "stopped", 0)
	testkit.Eventually(t, "everybody sees that there is no queue", func() bool { return last().State == "off" && !last().Required })
	testkit.Eventually(t, "anybody holds seats", func() bool {
		_, err := outside.Hold(t.Context(), s.seats("1-0"), newKey())
		return err == nil
	})
	if place := must(outside.TakePlace(t.Context(), s.event.ID, client.PlaceRequest{}))(t); place.State != "not_needed" {
		t.Errorf("the place in a stopped queue is %+v", place)
	}
	s.check(t)
	s.wantAudited(t, "queue_controlled", []map[string]string{
		{"state": "paused"}, {"state": "running", "max_per_minute": "60"}, {"state": "stopped"},
	})
}

// wantAudited waits until the organiser's audit entries about the event with an
// action have these details, oldest first.
func (s *queuedSale) wantAudited(t *testing.T, action string, want []map[string]string) {
	t.Helper()
	var got []map[string]string
	defer func() {
		if t.Failed() {
			t.Logf("the audit log has %v", got)
		}
	}()
	testkit.Eventually(t, "the audit log has what the organiser did", func() bool {
		page := must(admin.AuditEntries(t.Context(), url.Values{"action": {action}, "actor": {s.organizer.user.ID}}))(t)
		got = nil
		for _, entry := range slices.Backward(page.Items) {
			if entry.Subject == s.event.ID {
				got = append(got, entry.Details)
			}
		}
		return slices.EqualFunc(got, want, func(got, want map[string]string) bool {
			for name, value := range want {
				if got[name] != value {
					return false
				}
			}
			return true
		})
	})
}

func TestOnlyTheOrganizerControlsTheQueue(t *testing.T) {
	s := newQueuedSale(t, plan(1, 10), nil)
	for name, a := range map[string]account{"a customer": newBuyer(t), "another organiser": newOrganizer(t)} {
		t.Run(name, func(t *testing.T) {
			_, err := a.ControlQueue(t.Context(), s.event.ID, client.QueueControl{State: "paused"})
			wantRefused(t, err)
			_, err = a.QueueReport(t.Context(), s.event.ID)
			wantRefused(t, err)
			_, err = a.CreateInviteCodes(t.Context(), s.event.ID, client.NewInviteCodes{Count: 1})
			wantRefused(t, err)
		})
	}
	if r := must(admin.QueueReport(t.Context(), s.event.ID))(t); r.Control.State != "running" {
		t.Errorf("the queue is %s", r.Control.State)
	}
}

// wantRefused fails the test unless the event is forbidden, or not shown to
// exist.
func wantRefused(t *testing.T, err error) {
	t.Helper()
	if p := client.AsProblem(err); p == nil || p.Status != http.StatusForbidden && p.Status != http.StatusNotFound {
		t.Errorf("got %v, want 403 or 404", err)
	}
}

func TestInviteCodeEntersTheLaneThatIsServedFirst(t *testing.T) {
	s := newQueuedSale(t, plan(1, 10), nil)
	s.watch(t, visitor())
	s.control(t, "paused", 0)
	codes := must(s.organizer.CreateInviteCodes(t.Context(), s.event.ID, client.NewInviteCodes{Count: 2, Uses: 1}))(t)
	if len(codes.Codes) != 2 {
		t.Fatalf("the codes are %+v", codes)
	}
	buyers := newBuyers(t, 5)
	var general []*queue.Person
	for _, buyer := range buyers[:2] {
		general = append(general, s.person(buyer))
		join(t, general[len(general)-1], "")
	}
	late, mover := s.person(buyers[2]), s.person(buyers[3])
	if place := join(t, late, codes.Codes[0]); place.Lane != "priority" || place.Number != 1 {
		t.Errorf("with a code the place is %+v", place)
	}
	join(t, mover, "")
	moved := must(mover.Join(t.Context(), codes.Codes[1]))(t)
	if moved.Lane != "priority" || moved.Number != 2 {
		t.Errorf("with a code the place becomes %+v", moved)
	}
	for name, code := range map[string]string{"a used code": codes.Codes[0], "an unknown code": "AAAA-AAAA-AAAA"} {
		t.Run(name, func(t *testing.T) {
			_, err := s.person(buyers[4]).Join(t.Context(), code)
			wantCode(t, err, 422, "invite_code_invalid")
		})
	}
	s.control(t, "running", 30) // one after another
	awaitPlace(t, late, "admitted")
	awaitPlace(t, mover, "admitted")
	for _, p := range general {
		awaitPlace(t, p, "admitted")
	}
	s.check(t)
	for _, f := range s.recorder.Frames() {
		if lanes := f.Queue.Lanes; lanes.General.Serving > 0 && lanes.Priority.Serving < 2 {
			t.Errorf("%d of the general lane are called, and %d with a code", lanes.General.Serving, lanes.Priority.Serving)
		}
	}
	s.wantAudited(t, "invite_codes_created", []map[string]string{{}})
}

func TestSoldOutIsToldAtOnceAndTheWishIsRecorded(t *testing.T) {
	hall := plan(1, 2)
	hall.Sections, hall.Areas, hall.Categories = hall.Sections[:1], []client.NewArea{}, hall.Categories[:1]
	s := newQueuedSale(t, hall, func(e *client.NewEvent) { e.TicketTypes = e.TicketTypes[:1] })
	last := s.watch(t, visitor())
	buyer, waiting := s.person(newBuyer(t)), s.person(newBuyer(t))
	place := admit(t, buyer)
	s.control(t, "paused", 0)
	join(t, waiting, "")
	booking := must(buyer.Hold(t.Context(), s.seats("1-0", "1-1"), place.Admission, newKey()))(t)
	testkit.Eventually(t, "the seats are held", func() bool { return last().SeatsHeld == 2 })
	if state := last().State; state == "sold_out" {
		t.Errorf("the queue is %s while seats may come back", state)
	}
	must(buyer.Pay(t.Context(), booking.ID, "pm_ok", newKey()))(t)
	testkit.Eventually(t, "everybody is told", func() bool { return last().State == "sold_out" })
	testkit.Eventually(t, "the wish is recorded", func() bool {
		place, err := waiting.Look(t.Context())
		return err == nil && place.Wish
	})
	late := s.person(newBuyer(t))
	if place := join(t, late, ""); !place.Wish {
		t.Errorf("who comes when all is sold has no wish: %+v", place)
	}
	if r := must(s.organizer.QueueReport(t.Context(), s.event.ID))(t); r.Wishes != 2 || r.Sold != 2 {
		t.Errorf("the report has %d wishes and %d sold seats, want 2 and 2", r.Wishes, r.Sold)
	}
	s.check(t)
}

// An automatic queue begins with a pre-queue; that it also begins under load is
// tested in booking-service.
func TestAutomaticQueueIsNeededAfterAPreQueueOnly(t *testing.T) {
	automatic := func(starts time.Time) func(*client.NewEvent) {
		return func(e *client.NewEvent) {
			e.Queue = client.QueueSettings{Mode: "automatic", OpensBeforeSeconds: 3600}
			e.SaleStartsAt = starts
		}
	}
	now := time.Now().UTC().Truncate(time.Second)
	buyer := newBuyer(t)
	t.Run("without a pre-queue", func(t *testing.T) {
		s := newQueuedSale(t, plan(1, 10), automatic(now.Add(-time.Minute)))
		if place := must(buyer.TakePlace(t.Context(), s.event.ID, client.PlaceRequest{}))(t); place.State != "not_needed" {
			t.Errorf("the place is %+v", place)
		}
		must(buyer.Hold(t.Context(), s.seats("1-0"), newKey()))(t)
	})
	t.Run("with one", func(t *testing.T) {
		s := newQueuedSale(t, plan(1, 10), automatic(now.Add(20*time.Second)))
		last := s.watch(t, visitor())
		p := s.person(newBuyer(t))
		if place := join(t, p, ""); place.State != "waiting" || place.Rank != 0 {
			t.Errorf("before the draw the place is %+v", place)
		}
		_, err := buyer.Hold(t.Context(), s.seats("1-0"), newKey())
		wantCode(t, err, 409, "sale_not_started")
		defer func() {
			if t.Failed() {
				t.Logf("the last frame: %+v", last())
			}
		}()
		testkit.Eventually(t, "the sale starts with a queue", func() bool { return last().State == "open" && last().Required })
		_, err = buyer.Hold(t.Context(), s.seats("1-0"), newKey())
		wantCode(t, err, 403, "queue_required")
		place := awaitPlace(t, p, "admitted")
		must(p.Hold(t.Context(), s.seats("1-0"), place.Admission, newKey()))(t)
		s.check(t)
	})
}

func TestOneBrowserHasOnePlace(t *testing.T) {
	s := newQueuedSale(t, plan(1, 10), nil)
	s.control(t, "paused", 0) // so that both wait
	first, second := newBrowser(t), newBrowser(t)
	_, cookie := first.takePlace(t, s, "")
	if cookie == nil || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.MaxAge < 300*24*3600 {
		t.Fatalf("the browser gets the cookie %v", cookie)
	}
	resp, again := first.takePlace(t, s, cookie.Value)
	if resp.Status != http.StatusOK || again != nil {
		t.Errorf("the same account gets %d and the cookie %v", resp.Status, again)
	}
	resp, _ = second.takePlace(t, s, cookie.Value)
	if p := resp.Problem(); resp.Status != http.StatusConflict || p.Code != "device_in_queue" {
		t.Errorf("another account in the same browser gets %d %s", resp.Status, p.Code)
	}
	if resp, _ = second.takePlace(t, s, ""); resp.Status != http.StatusOK {
		t.Errorf("another browser gets %d %s", resp.Status, resp.Body)
	}
}

// browser is an account whose session is in a cookie.
type browser struct {
	account
	session string
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	a := newBuyer(t)
	resp := must(visitor().Do(t.Context(), client.Request{
		Method: http.MethodPost, Path: "/auth/login", Body: client.Credentials{Email: a.user.Email, Password: password},
	}))(t)
	for _, c := range (&http.Response{Header: resp.Header}).Cookies() {
		if c.Name == "frontrow_session" {
			return browser{a, c.Value}
		}
	}
	t.Fatalf("no session in the answer %s", resp.Body)
	return browser{}
}

// takePlace enters the queue with the device in a cookie, which may be empty. It
// returns the device's new cookie, if any.
func (b browser) takePlace(t *testing.T, s *queuedSale, device string) (client.Response, *http.Cookie) {
	t.Helper()
	challenge := must(b.QueueChallenge(t.Context(), s.event.ID))(t)
	cookies := "frontrow_session=" + b.session
	if device != "" {
		cookies += "; frontrow_queue=" + device
	}
	resp := must(visitor().Do(t.Context(), client.Request{
		Method: http.MethodPut, Path: "/events/" + s.event.ID + "/queue/place", Header: http.Header{"Cookie": {cookies}},
		Body: client.PlaceRequest{Challenge: challenge.Challenge, Solution: queue.Solve(challenge)},
	}))(t)
	for _, c := range (&http.Response{Header: resp.Header}).Cookies() {
		if c.Name == "frontrow_queue" {
			return resp, c
		}
	}
	return resp, nil
}
