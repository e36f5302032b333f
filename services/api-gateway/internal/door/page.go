package door

import (
	"net/http"
	"strconv"

	"github.com/frontrow-tickets/frontrow/api"
)

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

func home(w http.ResponseWriter, _ *http.Request) error {
	return page(w, "text/html; charset=utf-8", []byte(homePage))
}

func openAPI(w http.ResponseWriter, _ *http.Request) error {
	return page(w, "application/yaml", api.OpenAPI)
}

func page(w http.ResponseWriter, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-cache")
	// The client may have left.
	_, _ = w.Write(body)
	return nil
}
