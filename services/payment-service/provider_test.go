package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/pkg/postgres/pgtest"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/psp"
)

const (
	apiKey        = "the provider's key"
	webhookSecret = "secret"
)

// simulator is the program psp-simulator. It is built and not imported, because
// services must not import each other.
var simulator string

func TestMain(m *testing.M) { os.Exit(withSimulator(m.Run)) }

func withSimulator(tests func() int) int {
	dir, err := os.MkdirTemp("", "psp-simulator")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		simulator = filepath.Join(dir, "psp-simulator")
		build := exec.Command("go", "build", "-o", simulator, ".")
		build.Dir, build.Stdout, build.Stderr = "../psp-simulator", os.Stderr, os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build psp-simulator:", err)
		return 1
	}
	return tests()
}

// provider is the payment provider as a separate process. A proxy takes the
// place of api-gateway in front of the service's replicas: webhooks go to the
// replicas in turn.
type provider struct {
	url   string
	books *pgxpool.Pool

	mu       sync.Mutex
	replicas []string
	webhooks int
}

// startProvider runs a provider with empty books until the test ends.
func startProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	gateway := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", p.replica() },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusServiceUnavailable) // the provider retries
		},
	})
	t.Cleanup(gateway.Close)
	database := pgtest.URL(t)
	env := append(os.Environ(), "HTTP_ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0", "POSTGRES_URL="+database,
		"PSP_API_KEY="+apiKey, "PSP_WEBHOOK_URL="+gateway.URL+"/webhooks/psp", "PSP_WEBHOOK_SECRET="+webhookSecret)
	migrate := exec.Command(simulator, "migrate")
	migrate.Env = env
	if out, err := migrate.CombinedOutput(); err != nil {
		t.Fatalf("psp-simulator migrate: %v\n%s", err, out)
	}
	process := exec.Command(simulator)
	process.Env, process.Stderr = env, t.Output()
	log, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		if err := process.Wait(); err != nil {
			t.Errorf("psp-simulator: %v", err)
		}
	})
	p.url = "http://" + listening(t, log) + "/psp/v1"
	if p.books, err = pgxpool.New(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.books.Close)
	return p
}

// listening returns the address in a program's log, and discards the rest of
// the log.
func listening(t *testing.T, log io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		var line struct{ Msg, HTTP string }
		if err := json.Unmarshal(lines.Bytes(), &line); err == nil && line.Msg == "listening" {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return line.HTTP
		}
	}
	t.Fatalf("psp-simulator ended before it listened: %v", lines.Err())
	return ""
}

// reaches adds a replica as a receiver of webhooks, forgets removes one.
func (p *provider) reaches(replica string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replicas = append(p.replicas, replica)
}

func (p *provider) forgets(replica string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replicas = slices.DeleteFunc(p.replicas, func(r string) bool { return r == replica })
}

func (p *provider) replica() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.replicas) == 0 {
		return "" // an error from the proxy
	}
	p.webhooks++
	return p.replicas[p.webhooks%len(p.replicas)]
}

func (p *provider) client() *psp.Client { return psp.NewClient(p.url, apiKey) }

// count returns a number from the provider's books.
func (p *provider) count(t *testing.T, query string, args ...any) int64 {
	t.Helper()
	return count(t, p.books, query, args...)
}
