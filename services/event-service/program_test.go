package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/postgres/pgtest"
	"github.com/frontrow-tickets/frontrow/pkg/service/servicetest"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// program is the whole service with its own backends.
type program struct {
	*servicetest.Instance
	cfg       config
	signer    *identity.Signer
	organizer identity.Identity
	boss      identity.Identity // an admin
	customer  identity.Identity
	rival     identity.Identity // another organiser
	anonymous identity.Identity
}

func newProgram(t *testing.T) *program {
	t.Helper()
	who := func(role identity.Role) identity.Identity {
		return identity.Identity{UserID: uuid.New(), Role: role, Recent: true}
	}
	signer, key := testkit.Signer(t, name)
	p := &program{
		signer: signer, organizer: who(identity.Organizer), rival: who(identity.Organizer),
		boss: who(identity.Admin), customer: who(identity.Customer), anonymous: identity.Identity{Role: identity.Anonymous},
	}
	p.cfg = config{
		Config: servicetest.Config(), IdentityKeys: key, PostgresURL: pgtest.URL(t),
		Kafka: kafka.Cluster{Brokers: testkit.Kafka(t)}, Topics: kafka.Topics{Partitions: 12, Replication: 1},
		consumerGroup: testkit.Unique("event-service"),
	}
	if err := migrate(t.Context(), migrateConfig{p.cfg.PostgresURL}); err != nil {
		t.Fatal(err)
	}
	return p
}

// start runs the program until the test ends.
func (p *program) start(t *testing.T) {
	t.Helper()
	p.Instance = servicetest.Start(t, &p.cfg.Config, func(ctx context.Context) error { return run(ctx, p.cfg) })
	p.AwaitReady(t)
}

// ask gets a page of the admin listener.
func (p *program) ask(t *testing.T, path string) (status int, body string) {
	t.Helper()
	resp, err := http.Get("http://" + p.Admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// exec changes the service's database.
func (p *program) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.cfg.PostgresURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// headers of a request, as pairs.
type headers map[string]string

func (p *program) call(t *testing.T, as identity.Identity, method, path string, body any, h headers) answer {
	t.Helper()
	token := p.signer.Sign(as)
	all := headers{identity.Header: token, "Content-Type": "application/json"}
	for k, v := range h {
		all[k] = v
	}
	return p.send(t, method, path, body, all)
}

// send makes a request without an identity. A body that is not a string is sent
// as JSON.
func (p *program) send(t *testing.T, method, path string, body any, h headers) answer {
	t.Helper()
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Public+path, content)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range h {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, raw}
}

// into decodes a body after checking the status.
func (a answer) into(t *testing.T, status int, v any) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %.500s", a.status, status, a.body)
	}
	if v != nil {
		if err := json.Unmarshal(a.body, v); err != nil {
			t.Fatalf("%v: %.500s", err, a.body)
		}
	}
	return a
}

// problem is the part of an error that the tests check.
type problemBody struct {
	Code   string `json:"code"`
	Status int    `json:"status"`
	Errors []struct {
		Field string `json:"field"`
		Code  string `json:"code"`
	} `json:"errors"`
}

// refused checks that the response is a problem with this status and code.
func (a answer) refused(t *testing.T, status int, code string) problemBody {
	t.Helper()
	var p problemBody
	a.into(t, status, &p)
	if p.Code != code || p.Status != status || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %d (%s), want %s %d", p.Code, p.Status, a.header.Get("Content-Type"), code, status)
	}
	return p
}

// object is a JSON object of a request.
type object map[string]any

// with returns a copy with one member set, or removed if nil.
func (o object) with(name string, value any) object {
	c := object{}
	for k, v := range o {
		c[k] = v
	}
	c[name] = value
	if value == nil {
		delete(c, name)
	}
	return c
}

func row(label string, seats int) object {
	list := make([]object, seats)
	for i := range list {
		list[i] = object{"number": fmt.Sprint(i + 1), "x": i, "y": 0.5}
	}
	return object{"label": label, "category": "front", "seats": list}
}

func venueBody() object {
	return object{
		"name": "Small Hall", "city": "Vienna", "time_zone": "Europe/Vienna",
		"categories": []object{{"id": "front", "name": "Front"}, {"id": "floor", "name": "Standing"}},
		"sections":   []object{{"id": "stalls", "name": "Stalls", "rows": []object{row("A", 4), row("B", 4)}}},
		"areas":      []object{{"id": "pit", "name": "Pit", "category": "floor", "capacity": 350, "x": 0, "y": 10}},
	}
}

func eventBody(venue string) object {
	return object{
		"name": "Late Night Trio", "description": "Three sets.", "venue_id": venue,
		"starts_at": "2099-03-01T19:00:00Z", "ends_at": "2099-03-01T22:00:00Z", "time_zone": "Europe/Vienna", "currency": "EUR",
		"ticket_types": []object{
			{"id": "front", "name": "Front", "category": "front", "price": 4500},
			{"id": "floor", "name": "Floor", "category": "floor", "price": 2500},
		},
		"sale_starts_at": "2026-01-01T00:00:00Z", "sale_ends_at": "2099-03-01T18:00:00Z",
	}
}

// eventAnswer is the part of an event that the tests check.
type eventAnswer struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Status       string `json:"status"`
	CancelReason string `json:"cancel_reason"`
	Version      int64  `json:"version"`
	Venue        struct {
		Name string `json:"name"`
	} `json:"venue"`
	TicketTypes []struct {
		ID    string `json:"id"`
		Kind  string `json:"kind"`
		Price struct {
			Amount   int64  `json:"amount"`
			Currency string `json:"currency"`
		} `json:"price"`
	} `json:"ticket_types"`
	MaxSeatsPerBuyer int           `json:"max_seats_per_buyer"`
	Queue            queueSettings `json:"queue"`
}

type queueSettings struct {
	Mode               string `json:"mode"`
	OpensBeforeSeconds int    `json:"opens_before_seconds"`
	AdmissionSeconds   int    `json:"admission_seconds"`
}

func (p *program) createVenue(t *testing.T) string {
	t.Helper()
	var v struct{ ID string }
	p.call(t, p.organizer, "POST", "/api/v1/venues", venueBody(), nil).into(t, http.StatusCreated, &v)
	return v.ID
}

func (p *program) createEvent(t *testing.T, body object) eventAnswer {
	t.Helper()
	var e eventAnswer
	p.call(t, p.organizer, "POST", "/api/v1/events", body, nil).into(t, http.StatusCreated, &e)
	return e
}

func (p *program) publish(t *testing.T, id string) eventAnswer {
	t.Helper()
	var e eventAnswer
	p.call(t, p.organizer, "POST", "/api/v1/events/"+id+"/publish", nil, nil).into(t, http.StatusOK, &e)
	return e
}
