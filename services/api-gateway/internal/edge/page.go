package edge

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/frontrow-tickets/frontrow/api"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// homePage is served if the web app was not built.
const homePage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Frontrow</title>
<h1>Frontrow</h1>
<p>Sells tickets: each seat once.</p>
<ul>
<li><a href="/api/v1/events">Events</a></li>
<li><a href="/api/v1/openapi.yaml">The API</a></li>
</ul>
</html>
`

// policyOf returns the content security policy of the app's pages: they load
// only what the gateway serves and the scripts and frames of the queue's
// widget, if any, and no inline code.
func policyOf(widget url.URL) (string, error) {
	scripts, frames := "'self'", "'none'"
	if widget != (url.URL{}) {
		if widget.Host == "" || widget.Scheme != "https" && widget.Scheme != "http" {
			return "", errors.New("QUEUE_TURNSTILE_SCRIPT is not an absolute http or https URL")
		}
		frames = widget.Scheme + "://" + widget.Host
		scripts += " " + frames
	}
	return "default-src 'none'; script-src " + scripts + "; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
		"media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; frame-src " + frames +
		"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'", nil
}

// file is a file of the web app with the compressed copies from the build.
type file struct {
	contentType, cacheControl, etag string
	plain, gzip, brotli             []byte
}

// loadApp reads the web app's files, by path. Errors are those of app.
func loadApp(app fs.FS) (map[string]*file, error) {
	files := map[string]*file{}
	err := fs.WalkDir(app, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(app, name)
		if err != nil {
			return err
		}
		of := func(name string) *file {
			if files[name] == nil {
				files[name] = &file{}
			}
			return files[name]
		}
		switch path.Ext(name) {
		case ".gz":
			of(strings.TrimSuffix(name, ".gz")).gzip = content
		case ".br":
			of(strings.TrimSuffix(name, ".br")).brotli = content
		default:
			f := of(name)
			sum := sha256.Sum256(content)
			f.plain, f.etag = content, `"`+hex.EncodeToString(sum[:8])+`"`
			f.contentType = contentType(name)
			f.cacheControl = "no-cache"
			if strings.HasPrefix(name, "assets/") {
				// Their names contain a hash of the content.
				f.cacheControl = "public, max-age=31536000, immutable"
			}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("web app: %w", err)
	}
	return files, nil
}

// contentType does not consult the system's MIME tables first, which differ
// between machines.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webmanifest":
		return "application/manifest+json"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// showApp answers with a file of the web app, or with its page for paths that
// only the app's router knows.
func (s *Server) showApp(w http.ResponseWriter, r *http.Request) error {
	f := s.app[strings.TrimPrefix(r.URL.Path, "/")]
	if f == nil {
		if r.URL.Path != "/" && (strings.HasPrefix(r.URL.Path, "/assets/") || !strings.Contains(r.Header.Get("Accept"), "text/html")) {
			return problem.NotFound("This address")
		}
		f = s.app["index.html"]
	}
	if f == nil {
		return page(w, "text/html; charset=utf-8", []byte(homePage))
	}
	return s.sendFile(w, r, f)
}

// showAPIDocs answers with the web app's API reference. Error: the problem
// not_found, if the web app was not built.
func (s *Server) showAPIDocs(w http.ResponseWriter, r *http.Request) error {
	f := s.app["api-docs.html"]
	if f == nil {
		return problem.NotFound("This address")
	}
	return s.sendFile(w, r, f)
}

// sendFile answers with a file in the best encoding that the client accepts, or
// with 304 if it has the file already.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, f *file) error {
	h := w.Header()
	h.Set("Content-Security-Policy", s.appPolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), geolocation=(), microphone=()")
	h.Set("Cache-Control", f.cacheControl)
	h.Add("Vary", "Accept-Encoding")
	h.Set("ETag", f.etag)
	if httpapi.ETagMatches(r.Header.Get("If-None-Match"), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body := f.plain
	accepted := r.Header.Get("Accept-Encoding")
	switch {
	case f.brotli != nil && httpapi.AcceptsEncoding(accepted, "br"):
		h.Set("Content-Encoding", "br")
		body = f.brotli
	case f.gzip != nil && httpapi.AcceptsEncoding(accepted, "gzip"):
		h.Set("Content-Encoding", "gzip")
		body = f.gzip
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	// The client may have disconnected.
	_, _ = w.Write(body)
	return nil
}

func openAPI(w http.ResponseWriter, _ *http.Request) error {
	return page(w, "application/yaml", api.OpenAPI)
}

func page(w http.ResponseWriter, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-cache")
	// The client may have disconnected.
	_, _ = w.Write(body)
	return nil
}
