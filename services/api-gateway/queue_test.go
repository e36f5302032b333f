package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

const (
	queuedEvent = "0193b3a0-3333-7abc-8def-000000000003"
	queuedHold  = `{"event_id":"` + queuedEvent + `","seat_ids":["1-1"]}`
)

// queued is a booking-service whose event has a queue while required is set.
type queued struct {
	*eventLog
	required atomic.Bool
	status   atomic.Int64 // of the queue
}

func newQueued() *queued {
	q := &queued{eventLog: newEventLog()}
	q.required.Store(true)
	q.status.Store(http.StatusOK)
	return q
}

func (q *queued) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusCreated)
		return
	}
	q.eventLog.ServeHTTP(w, r)
}

func (q *queued) state(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(int(q.status.Load()))
	fmt.Fprintf(w, `{"version":1,"required":%t}`, q.required.Load())
}

// queued starts a gateway with q as booking-service.
func (w *world) queued(q *queued) *replica {
	w.t.Helper()
	w.queue = q.state
	r := w.replica("booking-service", 0, q.ServeHTTP)
	w.start()
	return r
}

// admit returns the token of an admission signed with keys.
func admit(t *testing.T, keys string, a identity.Admission) string {
	t.Helper()
	s, err := identity.NewSigner(identity.AdmissionAudience, keys)
	if err != nil {
		t.Fatal(err)
	}
	return s.Admit(a)
}

func TestQueueRequiresAdmissionForHoldsAndSeatStreams(t *testing.T) {
	w := newWorld(t)
	r := w.queued(newQueued())
	session, user := w.login(identity.Customer)
	event, later := uuid.MustParse(queuedEvent), time.Now().Add(time.Hour)
	refused := w.metric("gateway_queue_refused_total")
	bad := map[string]string{
		"missing":           "",
		"malformed":         "x",
		"forged":            admit(t, testkit.Seed(t), identity.Admission{Event: event, User: user, Until: later}),
		"expired":           admit(t, w.seed, identity.Admission{Event: event, User: user, Until: time.Now()}),
		"of another user":   admit(t, w.seed, identity.Admission{Event: event, User: uuid.New(), Until: later}),
		"for another event": admit(t, w.seed, identity.Admission{Event: uuid.New(), User: user, Until: later}),
	}
	for name, token := range bad {
		hold := append(bearer(session), "Frontrow-Admission", token)
		for _, a := range []response{
			w.send("POST", "/api/v1/bookings", queuedHold, hold...),
			w.send("GET", streamPath+"?admission="+token, "", bearer(session)...),
		} {
			if a.status != http.StatusForbidden || a.code() != "queue_required" {
				t.Errorf("an admission %s: %d %s", name, a.status, a.body)
			}
			var problem struct{ Queue string }
			if err := json.Unmarshal([]byte(a.body), &problem); err != nil ||
				problem.Queue != "/api/v1/events/"+queuedEvent+"/queue" {
				t.Errorf("the problem has the queue %q, %v", problem.Queue, err)
			}
		}
	}
	if got := w.metric("gateway_queue_refused_total") - refused; got != float64(2*len(bad)) {
		t.Errorf("%v refusals were counted, want %d", got, 2*len(bad))
	}
	for _, s := range r.requests() {
		if !strings.HasSuffix(s.uri, "/queue") {
			t.Errorf("booking-service got %s %s", s.method, s.uri)
		}
	}

	good := admit(t, w.seed, identity.Admission{Event: event, User: user, Until: later})
	hold := append(bearer(session), "Frontrow-Admission", good)
	w.want(w.send("POST", "/api/v1/bookings", queuedHold, hold...), http.StatusCreated, "")
	// The stream needs the session too.
	w.want(w.send("GET", streamPath+"?admission="+good, ""), http.StatusForbidden, "queue_required")
	w.follow(streamPath+"?admission="+good, "", bearer(session)...).readUntil(100)
	// The id's spelling makes no difference.
	w.want(w.send("POST", "/api/v1/bookings", strings.ToUpper(queuedHold[:50])+queuedHold[50:], bearer(session)...),
		http.StatusForbidden, "queue_required")
}

func TestOrganizersAndAdminsPassTheQueue(t *testing.T) {
	w := newWorld(t)
	w.queued(newQueued())
	for _, role := range []identity.Role{identity.Organizer, identity.Admin} {
		session, _ := w.login(role)
		w.want(w.send("POST", "/api/v1/bookings", queuedHold, bearer(session)...), http.StatusCreated, "")
		w.follow(streamPath, "", bearer(session)...).readUntil(100)
	}
	session, _ := w.login(identity.Customer)
	w.want(w.send("POST", "/api/v1/bookings", queuedHold, bearer(session)...), http.StatusForbidden, "queue_required")
}

func TestEventWithoutQueueNeedsNoAdmission(t *testing.T) {
	for name, prepare := range map[string]func(*queued){
		"not required":  func(q *queued) { q.required.Store(false) },
		"unknown event": func(q *queued) { q.status.Store(http.StatusNotFound) },
		"failing":       func(q *queued) { q.status.Store(http.StatusInternalServerError) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			q := newQueued()
			prepare(q)
			w.queued(q)
			session, _ := w.login(identity.Customer)
			w.want(w.send("POST", "/api/v1/bookings", queuedHold, bearer(session)...), http.StatusCreated, "")
			w.watch("").readUntil(100)
		})
	}
}

func TestHoldsAreRefusedByTheLastKnownQueueWhileBookingServiceIsDown(t *testing.T) {
	w := newWorld(t)
	r := w.queued(newQueued())
	session, _ := w.login(identity.Customer)
	w.want(w.send("POST", "/api/v1/bookings", queuedHold, bearer(session)...), http.StatusForbidden, "queue_required")
	r.kill()
	w.want(w.send("POST", "/api/v1/bookings", queuedHold, bearer(session)...), http.StatusForbidden, "queue_required")
}
