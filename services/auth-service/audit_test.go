package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	messages "github.com/frontrow-tickets/frontrow/services/auth-service/internal/kafka"
)

// withKafka connects the service to the brokers.
func withKafka(t *testing.T) func(*config) {
	return func(c *config) {
		c.Kafka.Brokers = testkit.Kafka(t)
		if err := kafka.EnsureTopics(t.Context(), c.Kafka, kafka.Topics{Partitions: 6, Replication: 1}, messages.Topics...); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAuditLogSaysWhoDidWhatFromWhere(t *testing.T) {
	s := start(t, withKafka(t))
	user, email := s.register()
	s.login(email)
	s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"wrong horse"}`, "User-Agent", "Browser 1"), 401, "invalid_credentials")
	admin := identity.Identity{UserID: s.adminID(), Role: identity.Admin, Email: "admin@example.com", Recent: true}
	s.want(s.call(admin, "PUT", "/users/"+user.UserID.String()+"/role", `{"role":"organizer"}`), 200, "")
	s.want(s.call(user, "POST", "/logout-all", ""), 204, "")

	entries := func(query string) (found []map[string]any) {
		t.Helper()
		a := s.want(s.call(admin, "GET", "/audit?"+query, ""), 200, "")
		for _, item := range a.body["items"].([]any) {
			found = append(found, item.(map[string]any))
		}
		return found
	}
	actions := func(found []map[string]any) string {
		var all []string
		for _, e := range found {
			all = append(all, e["action"].(string))
		}
		return strings.Join(all, " ")
	}
	own := "actor=" + user.UserID.String()
	testkit.Eventually(t, "the log has the user's entries", func() bool { return len(entries(own)) == 3 })
	if got := entries(own); actions(got) != "logout login registered" || got[0]["actor_email"] != email || got[0]["address"] != s.address {
		t.Errorf("entries %v", got)
	}
	var failed map[string]any
	testkit.Eventually(t, "the log has the failure", func() bool {
		for _, e := range entries("action=login_failed&limit=100") {
			if e["actor_email"] == email {
				failed = e
			}
		}
		return failed != nil
	})
	if failed["actor_id"] != nil || failed["user_agent"] != "Browser 1" {
		t.Errorf("failure %v", failed)
	}
	byAdmin := "actor=" + admin.UserID.String()
	testkit.Eventually(t, "the log has the role change", func() bool { return len(entries(byAdmin)) == 1 })
	change := entries(byAdmin)[0]
	if details, _ := change["details"].(map[string]any); change["action"] != "role_changed" || change["subject"] != user.UserID.String() ||
		details["from"] != "customer" || details["to"] != "organizer" {
		t.Errorf("role change %v", change)
	}

	t.Run("filtered", func(t *testing.T) {
		at := url.QueryEscape(entries(own)[1]["at"].(string))
		for query, want := range map[string]string{
			own + "&action=login":                             "login",
			own + "&action=payment_refunded":                  "",
			own + "&from=" + at:                               "logout login",
			own + "&to=" + at:                                 "registered",
			own + "&from=" + at + "&to=" + at:                 "",
			"actor=" + uuid.NewString():                       "",
			own + "&to=2001-01-01T00:00:00Z":                  "",
			own + "&from=2001-01-01T00:00:00Z":                "logout login registered",
			own + "&limit=2":                                  "logout login",
			own + "&action=logout&limit=1":                    "logout",
			own + "&from=2001-01-01T00:00:00%2B02:00&limit=1": "logout",
		} {
			if got := actions(entries(query)); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
	})
	t.Run("page by page", func(t *testing.T) {
		var got []string
		next := ""
		for {
			a := s.want(s.call(admin, "GET", "/audit?limit=1&"+own+"&cursor="+next, ""), 200, "")
			for _, item := range a.body["items"].([]any) {
				got = append(got, item.(map[string]any)["action"].(string))
			}
			if next, _ = a.body["next_cursor"].(string); next == "" || len(got) > 3 {
				break
			}
		}
		if strings.Join(got, " ") != "logout login registered" {
			t.Errorf("pages %v", got)
		}
	})
	t.Run("refused", func(t *testing.T) {
		for name, c := range map[string]struct {
			as     identity.Identity
			query  string
			status int
			code   string
		}{
			"a customer":       {user, "", 403, "forbidden"},
			"an organizer":     {identity.Identity{UserID: uuid.New(), Role: identity.Organizer}, "", 403, "forbidden"},
			"nobody":           {anonymous, "", 401, "session_required"},
			"an actor made up": {admin, "actor=ada", 422, "validation_failed"},
			"empty parameters": {admin, "actor=&action=&from=&to=", 422, "validation_failed"},
			"another action":   {admin, "action=nap", 422, "validation_failed"},
			"no time":          {admin, "from=today", 422, "validation_failed"},
			"a cursor made up": {admin, "cursor=%21", 422, "validation_failed"},
			"a limit of none":  {admin, "limit=0", 422, "validation_failed"},
		} {
			if a := s.call(c.as, "GET", "/audit?"+c.query, ""); a.status != c.status || a.code() != c.code {
				t.Errorf("%s: got %d %v", name, a.status, a.body)
			}
		}
	})
	t.Run("append-only", func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), s.db)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		for _, sql := range []string{`UPDATE audit_log SET action = 'login'`, `DELETE FROM audit_log`, `TRUNCATE audit_log`} {
			if _, err := conn.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", sql, err)
			}
		}
	})
}

func TestAuditLogTakesEachEntryOfOtherServicesOnceAndNoPoison(t *testing.T) {
	s := start(t, withKafka(t))
	producer, err := kafka.NewProducer(kafka.Cluster{Brokers: testkit.Kafka(t)}, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = producer.Close(context.Background()) })
	actor := uuid.New()
	message := func(e events.AuditEntry) kafka.Message {
		t.Helper()
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return kafka.Message{Topic: events.TopicAudit, Key: actor.String(), Type: events.TypeAuditEntry, Source: "/event-service", Data: data}
	}
	entry := events.AuditEntry{ID: uuid.New(), At: time.Now().UTC(), Action: "event_cancelled", ActorID: actor, Subject: uuid.NewString()}
	last := events.AuditEntry{ID: uuid.New(), At: time.Now().UTC().Add(time.Second), Action: "attendees_exported", ActorID: actor}
	unstorable := entry
	unstorable.ID, unstorable.UserAgent = uuid.New(), "a\x00b"
	garbage, strange, empty := message(entry), message(entry), message(events.AuditEntry{ActorID: actor})
	garbage.Data, strange.Type = []byte("{"), "another"
	dead := listen(t, kafka.DLQ(events.TopicAudit))
	if err := producer.Publish(t.Context(), message(entry), garbage, strange, empty, message(unstorable), message(entry), message(last)); err != nil {
		t.Fatal(err)
	}
	stored := func() (found []string) {
		s.query(`SELECT action FROM audit_log WHERE actor_id = $1 ORDER BY at`, actor).each(func(row pgx.Rows) error {
			var action string
			err := row.Scan(&action)
			found = append(found, action)
			return err
		})
		return found
	}
	testkit.Eventually(t, "the last entry is stored", func() bool { return slices.Contains(stored(), "attendees_exported") })
	if got := fmt.Sprint(stored()); got != "[event_cancelled attendees_exported]" {
		t.Errorf("stored %s", got)
	}
	testkit.Eventually(t, "the poison is in the dead-letter topic", func() bool { return len(dead.about(actor.String())) >= 4 })
}

func TestLockOutIsRecordedOnce(t *testing.T) {
	s := start(t)
	_, email := s.register()
	for i := range 14 {
		a := s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"wrong horse"}`)
		if want := map[bool]int{true: 401, false: 429}[i < 10]; a.status != want {
			t.Fatalf("attempt %d: %d %v", i, a.status, a.body)
		}
	}
	count := map[string]int{}
	s.query(`SELECT payload FROM outbox WHERE topic = $1`, events.TopicAudit).each(func(row pgx.Rows) error {
		var data []byte
		if err := row.Scan(&data); err != nil {
			return err
		}
		var e events.AuditEntry
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		count[e.Action]++
		return nil
	})
	if count["login_failed"] != 10 || count["locked_out"] != 1 {
		t.Errorf("recorded %v", count)
	}
}

func TestMailsAndEntriesReachKafka(t *testing.T) {
	s := start(t, withKafka(t))
	mails, entries := listen(t, events.TopicAccountMail), listen(t, events.TopicAudit)
	user, _ := s.register()
	key := user.UserID.String()
	testkit.Eventually(t, "Kafka has the mail and the entry", func() bool {
		return len(mails.about(key)) > 0 && len(entries.about(key)) > 0
	})
	for _, m := range append(mails.about(key), entries.about(key)...) {
		if err := events.Validate(m.Type, m.Data); err != nil || m.Source != "/auth-service" {
			t.Errorf("from %s: %v", m.Source, err)
		}
	}
}
