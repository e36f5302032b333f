package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

const hold = `{"event_id":"0190b0a0-0000-7000-8000-000000000001","seat_ids":["1-1"]}`

// abort closes the connection after it has read the request, without a response.
func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func requestCount(replicas ...*replica) (n int) {
	for _, r := range replicas {
		n += len(r.requests())
	}
	return n
}

func TestFailedReadIsRetriedAtAnotherReplica(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{
		"connection cut": abort,
		"503":            func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"502":            func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"response interrupted": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "part")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			bad, good := w.replica("payment-service", 0, handle), w.replica("payment-service", 1, nil)
			w.start()
			id, _ := w.login(identity.Customer)
			// The two are picked at random: repeat until the bad one was
			// picked.
			for range 100 {
				a := w.want(w.send("GET", "/api/v1/payments/p1", "", bearer(id)...), 200, "")
				if a.body != good.id {
					t.Fatalf("response %q", a.body)
				}
				if requestCount(bad) > 0 {
					return
				}
			}
			t.Error("the bad replica got no request")
		})
	}
}

func TestPostIsRetriedOnlyIfNothingWasSent(t *testing.T) {
	for _, key := range []string{"", "key-1"} {
		t.Run("sent, key "+key, func(t *testing.T) {
			w := newWorld(t)
			one, two := w.replica("booking-service", 0, abort), w.replica("booking-service", 1, abort)
			w.start()
			id, _ := w.login(identity.Customer)
			headers := bearer(id)
			if key != "" {
				headers = append(headers, "Idempotency-Key", key)
			}
			// Twice, so that the second request reuses a connection.
			for i := range 2 {
				a := w.want(w.send("POST", "/api/v1/bookings", hold, headers...), 503, "outcome_unknown")
				if a.header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				if n := requestCount(one, two); n != i+1 {
					t.Fatalf("%d attempts reached the replicas after %d requests", n, i+1)
				}
			}
			if key != "" && one.requests() != nil && one.requests()[0].header.Get("Idempotency-Key") != key {
				t.Error("the key did not arrive")
			}
		})
	}
	t.Run("connection used before, cut on the next request", func(t *testing.T) {
		w := newWorld(t)
		requests := 0
		r := w.replica("booking-service", 0, func(rw http.ResponseWriter, req *http.Request) {
			if requests++; requests > 1 {
				abort(rw, req)
			}
		})
		w.start()
		id, _ := w.login(identity.Customer)
		headers := append(bearer(id), "Idempotency-Key", "k")
		w.want(w.send("POST", "/api/v1/bookings", hold, headers...), 200, "")
		w.want(w.send("POST", "/api/v1/bookings", hold, headers...), 503, "outcome_unknown")
		if n := requestCount(r); n != 2 {
			t.Errorf("the replica saw %d requests, want 2", n)
		}
	})
	t.Run("not sent", func(t *testing.T) {
		w := newWorld(t)
		one, two := w.replica("booking-service", 0, nil), w.replica("booking-service", 1, nil)
		w.start()
		id, _ := w.login(identity.Customer)
		first := w.served(id, hold)[0]
		dead, alive := one, two
		if first == two.id {
			dead, alive = two, one
		}
		dead.kill()
		// The first may meet the dying connection; no request may be processed
		// twice.
		testkit.Eventually(t, "the dead connections are noticed", func() bool {
			a := w.send("POST", "/api/v1/bookings", hold, bearer(id)...)
			return a.status == http.StatusOK
		})
		for range 20 {
			if by := w.served(id, hold)[0]; by != alive.id {
				t.Fatalf("answered by %s", by)
			}
		}
	})
}

func TestClientDisconnectCancelsTheRequest(t *testing.T) {
	w := newWorld(t)
	left := make(chan struct{})
	w.replica("booking-service", 0, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(left)
	})
	w.start()
	req, err := http.NewRequest(http.MethodGet, w.url+"/api/v1/events/e/seats", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: 300 * time.Millisecond}
	if _, err := client.Do(req); err == nil {
		t.Fatal("answered")
	}
	<-left
}

func TestServiceWithoutReplicasIs503AndTheOthersWork(t *testing.T) {
	w := newWorld(t)
	auth := w.replica("auth-service", 0, nil)
	w.replica("booking-service", 0, nil)
	w.start()
	id, _ := w.login(identity.Customer)
	auth.kill()
	for _, path := range []string{"/api/v1/auth/login", "/api/v1/payments"} {
		a := w.send("POST", path, `{}`, bearer(id)...)
		if a.status != 503 || a.header.Get("Retry-After") == "" ||
			!strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s: %d %v %s", path, a.status, a.header, a.body)
		}
	}
	w.want(w.send("GET", "/api/v1/bookings", "", bearer(id)...), 200, "")
}

func TestResponsesOfAServicePassUnchanged(t *testing.T) {
	w := newWorld(t)
	r := w.replica("booking-service", 0, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Location", "/api/v1/bookings/b1")
		rw.Header().Set("Content-Type", "application/problem+json")
		rw.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(rw, `{"code":"seats_taken","seats":["1-1"]}`)
	})
	w.start()
	id, _ := w.login(identity.Customer)
	a := w.want(w.send("POST", "/api/v1/bookings?x=%2Fy", hold, bearer(id)...), 409, "seats_taken")
	if a.header.Get("Location") == "" || a.header.Get("Content-Type") != "application/problem+json" ||
		len(a.header.Values("X-Request-Id")) != 1 {
		t.Errorf("headers %v", a.header)
	}
	if got := r.requests()[0]; got.body != hold || got.uri != "/api/v1/bookings?x=%2Fy" {
		t.Errorf("the service got %+v", got)
	}
}
