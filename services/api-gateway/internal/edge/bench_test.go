package edge_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/edge"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/limit"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/redis"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

const holdBody = `{"event_id":"0190b0a0-0000-7000-8000-000000000001","seat_ids":["1-1"]}`

// newBench returns a handler in front of one booking-service replica on this machine, and a session.
func newBench(b *testing.B) (h http.Handler, sessionID string) {
	b.Helper()
	replica := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(holdBody))
	}))
	b.Cleanup(replica.Close)
	pool := upstream.NewPool()
	pool.Set([]upstream.Replica{{ID: "a", Addr: replica.Listener.Addr().String()}})
	forwarder := upstream.NewForwarder(map[string]*upstream.Pool{route.Booking: pool}, false)
	b.Cleanup(forwarder.Close)

	rdb, err := redisclient.New("redis://" + miniredis.RunT(b).Addr())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { rdb.Close() })
	store := session.NewStore(rdb, time.Hour)
	sessionID, _, err = store.Create(b.Context(), session.Session{UserID: uuid.NewString(), Role: "customer"}, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	sessions := redis.NewSessions(store)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sessions.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done })

	signer, _ := testkit.Signer(b, route.Booking)
	server, err := edge.New(edge.Config{
		Forwarder: forwarder, Sessions: sessions, Signers: map[string]*identity.Signer{route.Booking: signer},
		BySession: limit.New(1e9), ByAddress: limit.New(1e9),
	})
	if err != nil {
		b.Fatal(err)
	}
	return server, sessionID
}

// BenchmarkHold measures a hold through the handler, including the replica and the way to it.
func BenchmarkHold(b *testing.B) {
	h, id := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/bookings", strings.NewReader(holdBody))
		r.Header.Set("Authorization", "Bearer "+id)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusCreated {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

// BenchmarkPage measures the handler alone: a page needs no service.
func BenchmarkPage(b *testing.B) {
	h, _ := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if w.Code != http.StatusOK {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}
