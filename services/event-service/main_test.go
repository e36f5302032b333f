package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// topic collects the messages about one key from real Kafka.
type topic struct {
	mu       sync.Mutex
	messages map[string][]kafka.Message
}

func listen(t *testing.T, name string) *topic {
	t.Helper()
	l := &topic{messages: map[string][]kafka.Message{}}
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig{
		Cluster: kafka.Cluster{Brokers: testkit.Kafka(t)}, Group: testkit.Unique("listener"), ClientID: "listener",
		Handlers: map[string]kafka.Handler{name: kafka.Each(func(_ context.Context, m kafka.Message) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.messages[m.Key] = append(l.messages[m.Key], m)
			return nil
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = consumer.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return l
}

func (l *topic) about(key string) []kafka.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]kafka.Message(nil), l.messages[key]...)
}

func TestEventFromDraftToCancellation(t *testing.T) {
	p := newProgram(t)
	p.start(t)
	changed, audited := listen(t, events.TopicEventChanged), listen(t, events.TopicAudit)

	e := p.createEvent(t, eventBody(p.createVenue(t)))
	path := "/api/v1/events/" + e.ID
	if e.Status != "draft" || e.Version != 1 || e.Venue.Name != "Small Hall" || e.MaxSeatsPerBuyer != 8 ||
		e.TicketTypes[0].Kind != "seated" || e.TicketTypes[1].Kind != "general_admission" ||
		e.TicketTypes[0].Price.Amount != 4500 || e.TicketTypes[0].Price.Currency != "EUR" {
		t.Errorf("created %+v", e)
	}

	t.Run("a draft is its organiser's and the admin's", func(t *testing.T) {
		p.call(t, p.organizer, "GET", path, nil, nil).into(t, http.StatusOK, nil)
		p.call(t, p.boss, "GET", path, nil, nil).into(t, http.StatusOK, nil)
		p.call(t, p.anonymous, "GET", path, nil, nil).refused(t, http.StatusNotFound, "not_found")
		p.call(t, p.rival, "GET", path, nil, nil).refused(t, http.StatusNotFound, "not_found")
		p.call(t, p.rival, "PATCH", path, object{"name": "Mine"}, headers{"If-Match": `"1"`}).refused(t, http.StatusNotFound, "not_found")
		if got := p.search(t, "late trio"); len(got) != 0 {
			t.Errorf("a draft is found by all: %+v", got)
		}
		var mine struct{ Items []eventAnswer }
		p.call(t, p.organizer, "GET", "/api/v1/events?mine=true", nil, nil).into(t, http.StatusOK, &mine)
		if len(mine.Items) != 1 || mine.Items[0].ID != e.ID {
			t.Errorf("mine: %+v", mine.Items)
		}
	})

	e = p.publish(t, e.ID)
	if e.Status != "published" || e.Version != 2 {
		t.Errorf("published %+v", e)
	}
	if got := p.search(t, "late tri"); len(got) != 1 || got[0].ID != e.ID {
		t.Errorf("found %+v", got)
	}
	p.call(t, p.organizer, "POST", path+"/publish", nil, nil).refused(t, http.StatusConflict, "event_not_publishable")

	t.Run("a change needs the version it is made from", func(t *testing.T) {
		patch := object{"name": "Later Night Trio"}
		p.call(t, p.organizer, "PATCH", path, patch, nil).refused(t, http.StatusPreconditionRequired, "precondition_required")
		p.call(t, p.organizer, "PATCH", path, patch, headers{"If-Match": `"1"`}).refused(t, http.StatusPreconditionFailed, "precondition_failed")
		p.call(t, p.rival, "PATCH", path, patch, headers{"If-Match": `"2"`}).refused(t, http.StatusForbidden, "forbidden")
		got := p.call(t, p.organizer, "PATCH", path, patch, headers{"If-Match": `"2"`}).into(t, http.StatusOK, &e)
		if e.Name != "Later Night Trio" || got.header.Get("ETag") != `"3"` || len(e.TicketTypes) != 2 {
			t.Errorf("changed %+v, ETag %s", e, got.header.Get("ETag"))
		}
	})

	t.Run("a published event keeps its currency and isn't deleted", func(t *testing.T) {
		got := p.call(t, p.organizer, "PATCH", path, object{"currency": "USD"}, headers{"If-Match": `"3"`}).refused(t, http.StatusConflict, "event_not_editable")
		if len(got.Errors) != 1 || got.Errors[0].Field != "currency" {
			t.Errorf("errors %+v", got.Errors)
		}
		p.call(t, p.organizer, "DELETE", path, nil, nil).refused(t, http.StatusConflict, "event_not_editable")
	})

	t.Run("viewing is conditional", func(t *testing.T) {
		got := p.call(t, p.anonymous, "GET", path, nil, headers{"If-None-Match": `"3"`}).into(t, http.StatusNotModified, nil)
		if len(got.body) > 0 || got.header.Get("ETag") != `"3"` {
			t.Errorf("304 with %q and ETag %s", got.body, got.header.Get("ETag"))
		}
		p.call(t, p.anonymous, "GET", path, nil, headers{"If-None-Match": `"2"`}).into(t, http.StatusOK, nil)
	})

	notRecent := p.organizer
	notRecent.Recent = false
	p.call(t, notRecent, "POST", path+"/cancel", nil, nil).refused(t, http.StatusForbidden, "reauthentication_required")
	p.call(t, p.organizer, "POST", path+"/cancel", object{"reason": "flood"}, nil).into(t, http.StatusOK, &e)
	if e.Status != "cancelled" || e.CancelReason != "flood" || e.Version != 4 {
		t.Errorf("cancelled %+v", e)
	}
	p.call(t, p.organizer, "POST", path+"/cancel", nil, nil).into(t, http.StatusOK, &e)
	if e.CancelReason != "flood" || e.Version != 4 {
		t.Errorf("cancelled again %+v", e)
	}

	testkit.Eventually(t, "the audit log has the cancellation", func() bool { return len(audited.about(p.organizer.UserID.String())) > 0 })
	for i, m := range audited.about(p.organizer.UserID.String()) {
		if err := events.Validate(m.Type, m.Data); err != nil || i > 0 || !strings.Contains(string(m.Data), `"event_cancelled"`) || !strings.Contains(string(m.Data), e.ID) {
			t.Errorf("audit entry %d: %s %v", i, m.Data, err)
		}
	}
	testkit.Eventually(t, "Kafka has the three changes", func() bool { return len(changed.about(e.ID)) >= 3 })
	for i, m := range changed.about(e.ID) {
		if err := events.Validate(m.Type, m.Data); err != nil {
			t.Error(err)
		}
		var got events.EventChanged
		if err := json.Unmarshal(m.Data, &got); err != nil {
			t.Fatal(err)
		}
		want := []events.EventStatus{events.StatusPublished, events.StatusPublished, events.StatusCancelled}[i]
		if got.Status != want || got.Version != int64(i+2) || len(got.Blocks) != 3 || m.Source != "/event-service" {
			t.Errorf("message %d from %s: %+v", i, m.Source, got)
		}
	}
}

func TestPatchMergesQueueSettings(t *testing.T) {
	p := newProgram(t)
	p.start(t)
	changed := listen(t, events.TopicEventChanged)
	e := p.createEvent(t, eventBody(p.createVenue(t)).with("queue", object{"mode": "always", "opens_before_seconds": 900}))
	created := queueSettings{"always", 900, 600}
	if e.Queue != created {
		t.Fatalf("created with %+v", e.Queue)
	}
	p.publish(t, e.ID)
	patches := []struct {
		patch string
		want  queueSettings
	}{
		{`{"name":"Another"}`, created},
		{`{"queue":{}}`, created},
		{`{"queue":{"admission_seconds":120}}`, queueSettings{"always", 900, 120}},
		{`{"queue":{"mode":"automatic","opens_before_seconds":null}}`, queueSettings{"automatic", 1800, 120}},
		{`{"queue":null}`, queueSettings{"off", 1800, 600}},
		{`{"queue":{"mode":"always"}}`, queueSettings{"always", 1800, 600}},
	}
	for i, tc := range patches {
		match := headers{"If-Match": fmt.Sprintf(`"%d"`, i+2)}
		p.call(t, p.organizer, "PATCH", "/api/v1/events/"+e.ID, tc.patch, match).into(t, http.StatusOK, &e)
		if e.Queue != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.patch, e.Queue, tc.want)
		}
	}
	if found := p.search(t, "another"); len(found) != 1 || found[0].Queue != e.Queue {
		t.Errorf("listed as %+v", found)
	}
	testkit.Eventually(t, "Kafka has all changes", func() bool { return len(changed.about(e.ID)) > len(patches) })
	for i, tc := range patches {
		var m events.EventChanged
		if err := json.Unmarshal(changed.about(e.ID)[i+1].Data, &m); err != nil {
			t.Fatal(err)
		}
		if got := (queueSettings{string(m.Queue.Mode), m.Queue.OpensBeforeSeconds, m.Queue.AdmissionSeconds}); got != tc.want {
			t.Errorf("message after %s has %+v", tc.patch, got)
		}
	}
}

// The clock alone ends an event, which leaves its version as it is.
func TestEventThatEndsGetsAnotherETag(t *testing.T) {
	p := newProgram(t)
	p.start(t)
	e := p.publish(t, p.createEvent(t, eventBody(p.createVenue(t))).ID)
	path := "/api/v1/events/" + e.ID
	before := p.call(t, p.anonymous, "GET", path, nil, nil).into(t, http.StatusOK, nil).header.Get("ETag")
	p.exec(t, `UPDATE events SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'`)

	var got eventAnswer
	after := p.call(t, p.anonymous, "GET", path, nil, headers{"If-None-Match": before}).into(t, http.StatusOK, &got).header.Get("ETag")
	if got.Status != "past" || after == before {
		t.Errorf("%s with ETag %s, which was %s before the end", got.Status, after, before)
	}
	p.call(t, p.anonymous, "GET", path, nil, headers{"If-None-Match": after}).into(t, http.StatusNotModified, nil)
	// The version decides over changes: this one is refused for the status alone.
	for _, tag := range []string{before, after} {
		p.call(t, p.organizer, "PATCH", path, object{"name": "X"}, headers{"If-Match": tag}).refused(t, http.StatusConflict, "event_not_editable")
	}
	p.call(t, p.organizer, "PATCH", path, object{"name": "X"}, headers{"If-Match": `"1-past"`}).refused(t, http.StatusPreconditionFailed, "precondition_failed")
}

func (p *program) search(t *testing.T, q string) []eventAnswer {
	t.Helper()
	var page struct{ Items []eventAnswer }
	req := "/api/v1/events?q=" + escape(q)
	p.call(t, p.anonymous, "GET", req, nil, nil).into(t, http.StatusOK, &page)
	return page.Items
}

func TestSoldOutFollowsTheCountOfSeats(t *testing.T) {
	p := newProgram(t)
	if err := kafka.EnsureTopics(t.Context(), kafka.Cluster{Brokers: testkit.Kafka(t)}, kafka.Topics{Partitions: 12, Replication: 1}, events.TopicEventAvailability); err != nil {
		t.Fatal(err)
	}
	p.start(t)
	e := p.publish(t, p.createEvent(t, eventBody(p.createVenue(t))).ID)
	producer, err := kafka.NewProducer(kafka.Cluster{Brokers: testkit.Kafka(t)}, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = producer.Close(context.Background()) })
	send := func(available int, at time.Time) {
		t.Helper()
		data, err := json.Marshal(events.EventAvailability{EventID: uuid.MustParse(e.ID), Available: available, Sold: 358 - available, Total: 358, At: at})
		if err != nil {
			t.Fatal(err)
		}
		err = producer.Publish(t.Context(), kafka.Message{
			Topic: events.TopicEventAvailability, Key: e.ID, Type: events.TypeEventAvailability, Source: "/test", Data: data,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	becomes := func(status string, version int64) {
		t.Helper()
		testkit.Eventually(t, "the event is "+status, func() bool {
			var got eventAnswer
			p.call(t, p.anonymous, "GET", "/api/v1/events/"+e.ID, nil, nil).into(t, http.StatusOK, &got)
			return got.Status == status && got.Version == version
		})
	}
	now := time.Now().UTC()
	send(0, now)
	becomes("sold_out", 3)
	send(1, now.Add(-time.Second)) // late: an older count
	send(2, now.Add(time.Second))
	becomes("published", 4)
}

func TestReadinessAndViewingNeedNeitherKafkaNorConsul(t *testing.T) {
	p := newProgram(t)
	p.cfg.Kafka.Brokers = testkit.FreeAddr(t)
	p.cfg.ConsulAddr = testkit.FreeAddr(t)
	p.start(t)
	e := p.publish(t, p.createEvent(t, eventBody(p.createVenue(t))).ID)
	p.call(t, p.anonymous, "GET", "/api/v1/events/"+e.ID, nil, nil).into(t, http.StatusOK, nil)
	for path, want := range map[string]string{"/healthz": "alive", "/readyz": "ready", "/metrics": "outbox_lag_seconds"} {
		if status, body := p.ask(t, path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d without %q", path, status, want)
		}
	}
}

func TestServiceStartsWithoutKafkaAndAnnouncesLater(t *testing.T) {
	p := newProgram(t)
	broker := "kafka://" + p.cfg.Kafka.Brokers
	line := newProxy(t, &broker)
	line.cut()
	p.cfg.Kafka.Brokers = strings.TrimPrefix(broker, "kafka://")
	p.start(t)
	e := p.publish(t, p.createEvent(t, eventBody(p.createVenue(t))).ID)
	changed := listen(t, events.TopicEventChanged)
	line.restore()
	testkit.Eventually(t, "Kafka has the event", func() bool { return len(changed.about(e.ID)) > 0 })
}

func TestPostgresOutageAnswersUnavailable(t *testing.T) {
	p := newProgram(t)
	line := newProxy(t, &p.cfg.PostgresURL)
	p.start(t)
	e := p.createEvent(t, eventBody(p.createVenue(t)))
	path := "/api/v1/events/" + e.ID

	line.cut()
	for _, got := range []answer{
		p.call(t, p.organizer, "GET", path, nil, nil),
		p.call(t, p.anonymous, "GET", "/api/v1/events", nil, nil),
		p.call(t, p.organizer, "POST", path+"/publish", nil, nil),
		p.call(t, p.organizer, "POST", "/api/v1/venues", venueBody(), headers{"Idempotency-Key": "k"}),
	} {
		got.refused(t, http.StatusServiceUnavailable, "unavailable")
		if got.header.Get("Retry-After") != "1" {
			t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
		}
	}
	if status, _ := p.ask(t, "/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d", status)
	}
	line.restore()
	testkit.Eventually(t, "the event is there again", func() bool {
		return p.call(t, p.organizer, "GET", path, nil, nil).status == http.StatusOK
	})
	p.publish(t, e.ID)
}
