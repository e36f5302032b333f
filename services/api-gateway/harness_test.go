package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/consul/api"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/service/servicetest"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// world is the whole gateway with fake replicas, and real Consul and Redis.
type world struct {
	*servicetest.Instance
	t      testing.TB
	prefix string
	seed   string
	consul *api.Client
	url    string
	admin  string
	store  *session.Store
	// queue responds to requests for the state of an event's queue; nil responds with 404 and leaves the request
	// out of requests.
	queue http.HandlerFunc
	// configure changes the gateway's configuration before it starts.
	configure func(*config)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	cfg := api.DefaultNonPooledConfig()
	cfg.Address = testkit.Consul(t)
	client, err := api.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, prefix: testkit.Unique("gw") + "-", seed: testkit.Seed(t), consul: client, configure: func(*config) {}}
}

// replica is a fake instance of a service.
type replica struct {
	*httptest.Server
	id string

	mu   sync.Mutex
	seen []seen
}

type seen struct {
	method, uri, body string
	header            http.Header
	id                identity.Identity
}

func (r *replica) requests() []seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]seen(nil), r.seen...)
}

// kill drops all connections and refuses new ones, like a process that died.
func (r *replica) kill() {
	r.Listener.Close()
	r.CloseClientConnections()
}

// replica starts and registers an instance that responds with handle; nil
// responds with 200 and its id. It checks the identity of every request.
func (w *world) replica(service string, n int, handle http.HandlerFunc) *replica {
	w.t.Helper()
	verifier, err := identity.NewVerifier(service, w.seed)
	if err != nil {
		w.t.Fatal(err)
	}
	r := &replica{id: service + strconv.Itoa(n)}
	if handle == nil {
		handle = func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, r.id) }
	}
	r.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		queue := strings.HasSuffix(req.URL.Path, "/queue")
		if queue && w.queue == nil {
			http.NotFound(rw, req)
			return
		}
		id, err := verifier.Verify(req.Header.Get(identity.Header))
		if err != nil {
			w.t.Errorf("%s: %v", req.URL, err)
		}
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.seen = append(r.seen, seen{req.Method, req.RequestURI, string(body), req.Header.Clone(), id})
		r.mu.Unlock()
		if queue {
			w.queue(rw, req)
			return
		}
		handle(rw, req)
	}))
	w.t.Cleanup(func() { r.CloseClientConnections(); r.Close() })
	addr := r.Listener.Addr().(*net.TCPAddr)
	w.register(w.prefix+service, w.prefix+r.id, addr.Port)
	return r
}

func (w *world) register(name, id string, port int) {
	w.t.Helper()
	err := w.consul.Agent().ServiceRegister(&api.AgentServiceRegistration{ID: id, Name: name, Address: "127.0.0.1", Port: port})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.consul.Agent().ServiceDeregister(id) })
}

// start runs the gateway until the test ends. It returns when the gateway is
// ready.
func (w *world) start() {
	w.t.Helper()
	w.launch()
	w.AwaitReady(w.t)
}

func (w *world) launch() {
	w.t.Helper()
	cfg := config{
		Config:       servicetest.Config(),
		IdentityKeys: identityKeys{w.seed, w.seed, w.seed, w.seed, w.seed}, RedisURL: testkit.Redis(w.t), Routing: "hash",
		RateLimitSession: 1000, RateLimitAddress: 10_000, SessionIdle: time.Hour, SessionRecent: 15 * time.Minute, servicePrefix: w.prefix,
	}
	cfg.ConsulAddr, cfg.InstanceID, cfg.AdvertiseAddr = testkit.Consul(w.t), w.prefix+"gateway", "127.0.0.1:9"
	w.configure(&cfg)
	rdb, err := redisclient.New(cfg.RedisURL)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { rdb.Close() })
	w.store = session.NewStore(rdb, time.Hour)

	w.Instance = servicetest.Start(w.t, &cfg.Config, func(ctx context.Context) error { return run(ctx, cfg) })
	w.url, w.admin = "http://"+w.Public, "http://"+w.Admin
}

// login returns the id of a new session and its user.
func (w *world) login(role identity.Role) (string, uuid.UUID) {
	w.t.Helper()
	user := uuid.New()
	id, _, err := w.store.Create(w.t.Context(), session.Session{UserID: user.String(), Email: "u@example.com", Role: string(role)}, time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	return id, user
}

type response struct {
	status int
	header http.Header
	body   string
}

func (a response) code() string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal([]byte(a.body), &p)
	return p.Code
}

// send sends a request; headers are name, value pairs.
func (w *world) send(method, path, body string, headers ...string) response {
	w.t.Helper()
	a, err := w.try(method, path, body, headers...)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) try(method, path, body string, headers ...string) (response, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Type") == "text/event-stream" {
		return response{resp.StatusCode, resp.Header, ""}, nil // a stream does not end
	}
	raw, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, resp.Header, string(raw)}, err
}

func (w *world) want(a response, status int, code string) response {
	w.t.Helper()
	if a.status != status || a.code() != code {
		w.t.Fatalf("got %d %s, want %d %q", a.status, a.body, status, code)
	}
	return a
}

func bearer(id string) []string { return []string{"Authorization", "Bearer " + id} }
