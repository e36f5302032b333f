package edge_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/edge"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/limit"
)

func TestAppIsServed(t *testing.T) {
	app := fstest.MapFS{
		"index.html":          {Data: []byte("<html>app</html>")},
		"index.html.br":       {Data: []byte("brotli of the page")},
		"assets/main-1a2b.js": {Data: []byte("plain script")}, "assets/main-1a2b.js.gz": {Data: []byte("gzip of the script")},
		"worker.js": {Data: []byte("worker")}, "check-in.webmanifest": {Data: []byte(`{"name":"check-in"}`)}, "icon-192.png": {Data: []byte("png")},
	}
	s, err := edge.New(edge.Config{App: app, ByAddress: limit.New(1000)})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path, accept, encoding string
		status                       int
		body, contentType, coding    string
		cached                       string // part of Cache-Control
	}{
		{"the page", "/", "text/html", "", 200, "<html>app</html>", "text/html", "", "no-cache"},
		{"the page, compressed", "/", "text/html", "gzip, br", 200, "brotli of the page", "text/html", "br", "no-cache"},
		{"a script", "/assets/main-1a2b.js", "*/*", "", 200, "plain script", "text/javascript", "", "immutable"},
		{"a script, compressed as it can be", "/assets/main-1a2b.js", "*/*", "br, gzip", 200, "gzip of the script", "text/javascript", "gzip", "immutable"},
		{"a script, where gzip is refused", "/assets/main-1a2b.js", "*/*", "gzip;q=0", 200, "plain script", "text/javascript", "", "immutable"},
		{"an address of the app's own", "/organizer/events/new", "text/html,*/*", "", 200, "<html>app</html>", "text/html", "", "no-cache"},
		{"the service worker, which browsers must find renewed", "/worker.js", "*/*", "", 200, "worker", "text/javascript", "", "no-cache"},
		{"the manifest of the check-in", "/check-in.webmanifest", "*/*", "", 200, "check-in", "application/manifest+json", "", "no-cache"},
		{"an icon", "/icon-192.png", "image/*", "", 200, "png", "image/png", "", "no-cache"},
		{"a script of an older build", "/assets/main-9f9f.js", "text/html,*/*", "", 404, "not_found", "application/problem+json", "", ""},
		{"an unknown address, not asked for by a browser", "/metrics", "*/*", "", 404, "not_found", "application/problem+json", "", ""},
		{"an unknown address of the API", "/api/v1/nothing", "text/html", "", 404, "not_found", "application/problem+json", "", ""},
		{"a compressed copy by its own name", "/assets/main-1a2b.js.gz", "*/*", "", 404, "not_found", "application/problem+json", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, tt.path, nil)
			r.Header.Set("Accept", tt.accept)
			r.Header.Set("Accept-Encoding", tt.encoding)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("%d %s, want %d with %s", w.Code, w.Body, tt.status, tt.body)
			}
			if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, tt.contentType) {
				t.Errorf("content type %q, want %q", got, tt.contentType)
			}
			if got := w.Header().Get("Content-Encoding"); got != tt.coding {
				t.Errorf("content encoding %q, want %q", got, tt.coding)
			}
			if got := w.Header().Get("Cache-Control"); !strings.Contains(got, tt.cached) {
				t.Errorf("Cache-Control %q, want %q", got, tt.cached)
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") ||
				tt.status == 200 && (!strings.Contains(csp, "manifest-src 'self'") || !strings.Contains(csp, "worker-src 'self'")) || strings.Contains(csp, "unsafe") {
				t.Errorf("content security policy %q", csp)
			}
		})
	}
}

func TestAppThatIsKnownIsNotSentAgain(t *testing.T) {
	s, err := edge.New(edge.Config{App: fstest.MapFS{"index.html": {Data: []byte("app")}}, ByAddress: limit.New(1000)})
	if err != nil {
		t.Fatal(err)
	}
	first, again := httptest.NewRecorder(), httptest.NewRecorder()
	s.ServeHTTP(first, httptest.NewRequest(http.MethodGet, "/", nil))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("If-None-Match", first.Header().Get("ETag"))
	s.ServeHTTP(again, r)
	if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("%d with %d bytes, want 304 with none", again.Code, again.Body.Len())
	}
}

func TestPolicyAllowsOnlyTheOriginOfTheQueuesWidget(t *testing.T) {
	app := fstest.MapFS{"index.html": {Data: []byte("app")}}
	for script, want := range map[string]string{
		"":                                       "script-src 'self'; frame-src 'none'",
		"https://provider.example/v0/api.js?x=1": "script-src 'self' https://provider.example; frame-src https://provider.example",
		"/api.js":                                "",
		"javascript:alert(1)":                    "",
	} {
		address, err := url.Parse(script)
		if err != nil {
			t.Fatal(err)
		}
		s, err := edge.New(edge.Config{App: app, ByAddress: limit.New(1000), TurnstileScript: *address})
		if err != nil {
			if want != "" || !strings.Contains(err.Error(), "QUEUE_TURNSTILE_SCRIPT") {
				t.Errorf("%q: %v", script, err)
			}
			continue
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		var got []string
		for directive := range strings.SplitSeq(w.Header().Get("Content-Security-Policy"), "; ") {
			if strings.HasPrefix(directive, "script-src") || strings.HasPrefix(directive, "frame-src") {
				got = append(got, directive)
			}
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%q: %q, want %q", script, got, want)
		}
	}
}

func TestAPIDocsAreServed(t *testing.T) {
	app := fstest.MapFS{"index.html": {Data: []byte("app")}, "api-docs.html": {Data: []byte("<html>docs</html>")}}
	tests := []struct {
		name, method, path string
		app                fstest.MapFS
		status             int
		contentType, body  string
	}{
		{"GET", http.MethodGet, "/api/docs", app, 200, "text/html", "<html>docs</html>"},
		{"HEAD without a body", http.MethodHead, "/api/docs", app, 200, "text/html", ""},
		{"another method", http.MethodPost, "/api/docs", app, 405, "application/problem+json", "method_not_allowed"},
		{"a path below", http.MethodGet, "/api/docs/more", app, 404, "application/problem+json", "not_found"},
		{"another path of /api", http.MethodGet, "/api/doc", app, 404, "application/problem+json", "not_found"},
		{"without the web app", http.MethodGet, "/api/docs", fstest.MapFS{}, 404, "application/problem+json", "not_found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := edge.New(edge.Config{App: tt.app, ByAddress: limit.New(1000)})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(s)
			defer server.Close()
			r, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL+tt.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", "text/html")
			resp, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.body) || (tt.body == "" && len(body) > 0) {
				t.Errorf("%d %q, want %d with %q", resp.StatusCode, body, tt.status, tt.body)
			}
			if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, tt.contentType) {
				t.Errorf("content type %q, want %q", got, tt.contentType)
			}
			csp := resp.Header.Get("Content-Security-Policy")
			allows := strings.Contains(csp, "script-src 'self'; style-src 'self'")
			if strings.Contains(csp, "unsafe") || allows != (tt.status == 200) {
				t.Errorf("content security policy %q", csp)
			}
		})
	}
}
