package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// queued opens a sale with a queue. It starts after a pause.
func (s *system) queued(t *testing.T, pause time.Duration) (def events.EventChanged, queue string) {
	t.Helper()
	def = s.sale(t, func(def *events.EventChanged) {
		def.SaleStartsAt = time.Now().Add(pause)
		def.Queue = events.Queue{Mode: events.QueueAlways, OpensBeforeSeconds: 3600, AdmissionSeconds: 60}
	})
	return def, "/api/v1/events/" + def.EventID.String() + "/queue"
}

// solve returns the body of a request for a place, with a solved challenge.
func (s *system) solve(t *testing.T, base, queue string, user uuid.UUID) string {
	t.Helper()
	status, data, _ := s.get(t, base, queue+"/challenge", user)
	var c rest.QueueChallenge
	if err := json.Unmarshal([]byte(data), &c); err != nil || status != http.StatusOK || c.Kind != rest.QueueChallengeKindProofOfWork {
		t.Fatalf("challenge: %d %s", status, data)
	}
	for n := 0; ; n++ {
		solution := strconv.Itoa(n)
		if sum := sha256.Sum256([]byte(c.Challenge + ":" + solution)); sum[0] == 0 { // 8 bits
			return fmt.Sprintf(`{"challenge":%q,"solution":%q}`, c.Challenge, solution)
		}
	}
}

func (s *system) takePlace(t *testing.T, base, queue string, user uuid.UUID, body string) rest.Place {
	t.Helper()
	status, data, _ := s.do(t, base, http.MethodPut, queue+"/place", user, "", body)
	var p rest.Place
	if err := json.Unmarshal([]byte(data), &p); err != nil || status != http.StatusOK {
		t.Fatalf("place: %d %s", status, data)
	}
	return p
}

func TestQueueLeadsToSeats(t *testing.T) {
	s := start3(t)
	def, queue := s.queued(t, 4*time.Second)
	people := make([]uuid.UUID, 6)
	for i := range people {
		people[i] = uuid.Must(uuid.NewV7())
		base := s.replicas[i%3]
		if status, data, _ := s.do(t, base, http.MethodPut, queue+"/place", people[i], "", `{}`); status != http.StatusUnprocessableEntity || parse(t, data).Code != "challenge_failed" {
			t.Errorf("without a challenge: %d %s", status, data)
		}
		if status, _, _ := s.get(t, base, queue+"/place", people[i]); status != http.StatusNotFound {
			t.Errorf("place of a stranger: %d", status)
		}
		p := s.takePlace(t, base, queue, people[i], s.solve(t, base, queue, people[i]))
		if p.State != rest.PlaceStateWaiting || p.Number != i+1 || p.Rank != 0 {
			t.Fatalf("place %+v", p)
		}
	}
	var admitted rest.Place
	testkit.Eventually(t, "somebody is admitted", func() bool {
		admitted = s.takePlace(t, s.replicas[1], queue, people[2], `{}`)
		return admitted.State == rest.PlaceStateAdmitted
	})
	if admitted.Admission == "" || admitted.Until.Before(time.Now()) {
		t.Errorf("admission %+v", admitted)
	}
	if status, a, data := s.hold(t, 0, uuid.Must(uuid.NewV7()), "", best(def.EventID, "stalls", 2)); status != http.StatusForbidden ||
		a.Code != "queue_required" || !strings.Contains(data, `"queue":"`+queue+`"`) {
		t.Errorf("hold without an admission: %d %s", status, data)
	}
	if status, _, data := s.hold(t, 0, people[2], "", best(def.EventID, "stalls", 2)); status != http.StatusCreated {
		t.Errorf("hold with an admission: %d %s", status, data)
	}
	status, data, header := s.get(t, s.replicas[2], queue, uuid.Nil)
	var view rest.Queue
	if err := json.Unmarshal([]byte(data), &view); err != nil || status != http.StatusOK || !view.Required || view.Lanes.General.Drawn != 6 ||
		header.Get("Cache-Control") != "public, max-age=1" {
		t.Errorf("queue: %d %s", status, data)
	}
	organizer := identity.Identity{UserID: def.OrganizerID, Role: identity.Organizer}
	testkit.Eventually(t, "the report has what a gateway has seen", func() bool {
		var report rest.QueueReport
		for _, base := range s.replicas { // only the owner counts
			s.as(t, identity.Identity{Role: identity.Anonymous}, base, http.MethodGet, queue, http.Header{"X-Frontrow-Queue-Refused": {"7"}, "X-Frontrow-Hold-P99": {"321"}}, "")
		}
		_, data, _ := s.as(t, organizer, s.replicas[0], http.MethodGet, queue+"/report", nil, "")
		return json.Unmarshal([]byte(data), &report) == nil && report.Refused.QueueRequired >= 8 && report.HoldTargetSeconds == 0.5 && report.HoldP99Seconds == 0.321
	})
	if status, _, _ := s.do(t, s.replicas[0], http.MethodDelete, queue+"/place", people[2], "", ""); status != http.StatusNoContent {
		t.Errorf("leave: %d", status)
	}
	if status, _, _ := s.get(t, s.replicas[1], queue+"/place", people[2]); status != http.StatusNotFound {
		t.Errorf("place after leaving: %d", status)
	}
}

// follow passes on every event of a queue's stream until seen returns true.
func (s *system) follow(t *testing.T, base, queue string, seen func(rest.Queue) bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+queue+"/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(identity.Header, s.signer.Sign(identity.Identity{Role: identity.Anonymous}))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines, id := bufio.NewScanner(resp.Body), int64(0)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			next, err := strconv.ParseInt(text, 10, 64)
			if err != nil || next <= id {
				t.Fatalf("id %q after %d", text, id)
			}
			id = next
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var view rest.Queue
		if err := json.Unmarshal([]byte(data), &view); err != nil || view.Version != id {
			t.Fatalf("%s: %v", data, err)
		}
		if seen(view) {
			return
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
}

func TestQueueStreamHasEveryChangeForEverybody(t *testing.T) {
	s := start3(t)
	_, queue := s.queued(t, time.Hour)
	var joined sync.Once
	s.follow(t, s.replicas[1], queue, func(view rest.Queue) bool {
		joined.Do(func() {
			user := uuid.Must(uuid.NewV7())
			s.takePlace(t, s.replicas[0], queue, user, s.solve(t, s.replicas[0], queue, user))
		})
		return view.Lanes.General.Waiting == 1
	})
}

func TestQueueStreamTellsThatTheSaleHasEnded(t *testing.T) {
	s := start3(t)
	def := s.sale(t, func(def *events.EventChanged) {
		def.SaleStartsAt, def.SaleEndsAt = time.Now().Add(2*time.Second), time.Now().Add(5*time.Second)
		def.Queue = events.Queue{Mode: events.QueueAlways, OpensBeforeSeconds: 3600, AdmissionSeconds: 60}
	})
	s.follow(t, s.replicas[1], "/api/v1/events/"+def.EventID.String()+"/queue", func(view rest.Queue) bool {
		return view.State == rest.QueueStateOff
	})
}

func TestOrganiserControlsQueueAndInvites(t *testing.T) {
	s := start3(t)
	def, queue := s.queued(t, time.Hour)
	audited := s.listen(t, events.TopicAudit, def.OrganizerID.String())
	organizer := identity.Identity{UserID: def.OrganizerID, Role: identity.Organizer, Email: "o@example.com"}
	if status, data, _ := s.as(t, organizer, s.replicas[0], http.MethodPut, queue+"/control", nil, `{"state":"paused","max_per_minute":30}`); status != http.StatusOK ||
		!strings.Contains(data, `"control":{"max_per_minute":30,"state":"paused"}`) {
		t.Errorf("pause: %d %s", status, data)
	}
	other := identity.Identity{UserID: uuid.Must(uuid.NewV7()), Role: identity.Organizer}
	for path, method := range map[string]string{"/control": http.MethodPut, "/report": http.MethodGet, "/invite-codes": http.MethodPost} {
		if status, _, _ := s.as(t, other, s.replicas[0], method, queue+path, nil, `{"state":"paused"}`); status != http.StatusForbidden {
			t.Errorf("%s by another organiser: %d", path, status)
		}
	}
	header := http.Header{"Idempotency-Key": {"codes"}}
	invite := func(body string) (int, rest.InviteCodes, http.Header) {
		status, data, h := s.as(t, organizer, s.replicas[2], http.MethodPost, queue+"/invite-codes", header, body)
		var codes rest.InviteCodes
		if status == http.StatusCreated {
			if err := json.Unmarshal([]byte(data), &codes); err != nil {
				t.Fatal(err)
			}
		}
		return status, codes, h
	}
	_, codes, _ := invite(`{"count":3}`)
	if status, again, h := invite(`{"count":3}`); status != http.StatusCreated || !slices.Equal(again.Codes, codes.Codes) || len(codes.Codes) != 3 ||
		h.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the same key: %d %v, first %v", status, again, codes)
	}
	if status, _, _ := invite(`{"count":4}`); status != http.StatusUnprocessableEntity {
		t.Errorf("the same key for another request: %d", status)
	}
	user := uuid.Must(uuid.NewV7())
	body := strings.Replace(s.solve(t, s.replicas[0], queue, user), "{", fmt.Sprintf(`{"invite_code":%q,`, " "+strings.ToLower(codes.Codes[0])), 1)
	if p := s.takePlace(t, s.replicas[0], queue, user, body); p.Lane != rest.QueueLanePriority {
		t.Errorf("with an invite code: %+v", p)
	}
	stranger := uuid.Must(uuid.NewV7())
	body = strings.Replace(s.solve(t, s.replicas[0], queue, stranger), "{", fmt.Sprintf(`{"invite_code":%q,`, codes.Codes[0]), 1)
	if status, data, _ := s.do(t, s.replicas[0], http.MethodPut, queue+"/place", stranger, "", body); status != http.StatusUnprocessableEntity ||
		parse(t, data).Code != "invite_code_invalid" {
		t.Errorf("a code that was used: %d %s", status, data)
	}
	var actions []string
	for range 2 {
		m := <-audited
		var e events.AuditEntry
		if err := json.Unmarshal(m.Data, &e); err != nil || events.Validate(m.Type, m.Data) != nil {
			t.Errorf("audit entry %s", m.Data)
		}
		actions = append(actions, e.Action)
	}
	if want := []string{"queue_controlled", "invite_codes_created"}; !slices.Equal(actions, want) {
		t.Errorf("audited %v", actions)
	}
}

func TestBrowserHasOnePlace(t *testing.T) {
	s := start3(t)
	_, queue := s.queued(t, time.Hour)
	put := func(device string) (int, string) {
		user := uuid.Must(uuid.NewV7())
		status, data, _ := s.as(t, identity.Identity{UserID: user, Role: identity.Customer}, s.replicas[0], http.MethodPut, queue+"/place",
			http.Header{"X-Frontrow-Device": {device}}, s.solve(t, s.replicas[0], queue, user))
		return status, data
	}
	if status, data := put("browser"); status != http.StatusOK {
		t.Fatalf("%d %s", status, data)
	}
	if status, data := put("browser"); status != http.StatusConflict || parse(t, data).Code != "device_in_queue" {
		t.Errorf("another account with the same browser: %d %s", status, data)
	}
	if status, data := put("another"); status != http.StatusOK {
		t.Errorf("another browser: %d %s", status, data)
	}
}
