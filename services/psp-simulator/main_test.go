package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/psp"
	"github.com/frontrow-tickets/frontrow/pkg/postgres/pgtest"
	"github.com/frontrow-tickets/frontrow/pkg/service/servicetest"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// program is the whole simulator with its own database.
type program struct {
	*servicetest.Instance
	database string
}

func start(t *testing.T, webhooks http.HandlerFunc) program {
	t.Helper()
	receiver := httptest.NewServer(webhooks)
	t.Cleanup(receiver.Close)
	p := program{database: pgtest.URL(t)}
	for range 2 { // the second has nothing to do
		if err := migrate(t.Context(), migrateConfig{p.database}); err != nil {
			t.Fatal(err)
		}
	}
	cfg := config{
		Config: servicetest.Config(), PostgresURL: p.database,
		APIKey: "key", WebhookURL: receiver.URL + "/webhooks/psp", WebhookSecret: "secret",
	}
	p.Instance = servicetest.Start(t, &cfg.Config, func(ctx context.Context) error { return run(ctx, cfg) })
	return p
}

// call makes a request and decodes a 200 response into out.
func (p program) call(t *testing.T, authorization, method, path string, in, out any) int {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Public+"/psp/v1"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode
}

func request(key, method string) psp.ChargeRequest {
	return psp.ChargeRequest{Key: key, Method: method, Amount: events.Money{Amount: 100, Currency: "EUR"}}
}

func TestCallersNeedTheAPIKey(t *testing.T) {
	t.Parallel()
	p := start(t, func(http.ResponseWriter, *http.Request) {})
	var charge psp.Charge
	for _, path := range []string{"/charges", "/refunds", "/charges/by-key/k", "/ledger"} {
		method := http.MethodGet
		if path == "/charges" || path == "/refunds" {
			method = http.MethodPost
		}
		for _, authorization := range []string{"", "key", "Bearer", "Bearer ", "Bearer another", "Bearer key2", "Basic key"} {
			if got := p.call(t, authorization, method, path, request("k", "pm_ok"), &charge); got != http.StatusUnauthorized {
				t.Errorf("%s %s with %q: %d", method, path, authorization, got)
			}
		}
	}
	if got := p.call(t, "Bearer key", http.MethodGet, "/charges/by-key/k", nil, &charge); got != http.StatusNotFound {
		t.Errorf("a refused caller's charge: %d, want 404", got)
	}
	if got := p.call(t, "Bearer key", http.MethodPost, "/charges", request("k", "pm_ok"), &charge); got != http.StatusOK {
		t.Errorf("the key is right, and the answer %d", got)
	}
}

func TestSimulatorIsReadyAndCountsItsCalls(t *testing.T) {
	t.Parallel()
	p := start(t, func(http.ResponseWriter, *http.Request) {})
	p.AwaitReady(t)
	var charge psp.Charge
	p.call(t, "Bearer key", http.MethodPost, "/charges", request("k", "pm_ok"), &charge)
	resp, err := http.Get("http://" + p.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	metrics, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Contains(metrics, []byte(`route="/psp/v1/charges"`)) {
		t.Errorf("%v: the call is not counted", err)
	}
}

// received holds the received webhooks, by the charge's key.
type received struct {
	mu   sync.Mutex
	came map[string]int
	// refusals is how often each is refused before it is accepted.
	refusals int
	underWay int
	together int
	problems []string
}

func (r *received) take(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	var event psp.Event
	problem := json.Unmarshal(body, &event)
	if problem == nil {
		problem = psp.Verify("secret", req.Header.Get(psp.SignatureHeader), body, time.Now())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if problem != nil || event.Charge.Status != psp.ChargeCaptured {
		r.problems = append(r.problems, string(body))
	}
	if r.came[event.Charge.Key]++; r.came[event.Charge.Key] <= r.refusals {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// pass counts concurrent deliveries, and delays each a little.
func (r *received) pass(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.underWay++
		r.together = max(r.together, r.underWay)
		r.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		next(w, req)
		r.mu.Lock()
		r.underWay--
		r.mu.Unlock()
	}
}

func (r *received) times(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.came[key]
}

func TestWebhookIsRetriedUntilAccepted(t *testing.T) {
	t.Parallel()
	r := &received{came: map[string]int{}, refusals: 1}
	p := start(t, r.take)
	conn, err := pgx.Connect(t.Context(), p.database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	var charge psp.Charge
	if got := p.call(t, "Bearer key", http.MethodPost, "/charges", request("k", "pm_ok"), &charge); got != http.StatusOK {
		t.Fatal(got)
	}
	testkit.Eventually(t, "it came, was refused, and came again", func() bool { return r.times("k") == 2 })
	testkit.Eventually(t, "it is done with", func() bool {
		var left int
		return conn.QueryRow(t.Context(), `SELECT count(*) FROM webhooks`).Scan(&left) == nil && left == 0
	})
	if r.times("k") != 2 || len(r.problems) > 0 {
		t.Errorf("came %d times, wrong ones: %v", r.times("k"), r.problems)
	}
}

func TestWebhooksAreDeliveredSeveralAtOnce(t *testing.T) {
	t.Parallel()
	r := &received{came: map[string]int{}}
	p := start(t, r.pass(r.take))
	const n = 20
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			var charge psp.Charge
			if got := p.call(t, "Bearer key", http.MethodPost, "/charges", request(string(rune('a'+i)), "pm_ok"), &charge); got != http.StatusOK {
				t.Errorf("%d", got)
			}
		})
	}
	wg.Wait()
	testkit.Eventually(t, "all came", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.came) == n
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.together < 2 || len(r.problems) > 0 {
		t.Errorf("%d at once, wrong ones: %v", r.together, r.problems)
	}
}
