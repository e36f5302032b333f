package route

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/frontrow-tickets/frontrow/api"
)

// pages are served by the gateway itself.
var pages = []string{"GET /api/v1/openapi.yaml"}

func TestTableIsTheContract(t *testing.T) {
	var contract struct {
		Paths map[string]map[string]yaml.Node `yaml:"paths"`
	}
	if err := yaml.Unmarshal(api.OpenAPI, &contract); err != nil {
		t.Fatal(err)
	}
	var want []string
	for path, item := range contract.Paths {
		prefix := "/api/v1"
		if _, elsewhere := item["servers"]; elsewhere {
			prefix = ""
		}
		for method := range item {
			switch method {
			case "get", "post", "put", "patch", "delete":
				want = append(want, strings.ToUpper(method)+" "+prefix+withID(path))
			}
		}
	}
	got := slices.Clone(pages)
	for _, r := range Table {
		got = append(got, r.Method+" "+r.Path)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contract (-) and table (+) differ:\n%s", diff)
	}
}

// withID names every path variable id, as in the table.
func withID(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "{id}"
		}
	}
	return strings.Join(parts, "/")
}

func TestRoutesAreSound(t *testing.T) {
	for _, r := range Table {
		name := r.Method + " " + r.Path
		if r.Timeout <= 0 || !slices.Contains(Services, r.Service) {
			t.Errorf("%s has no time-out or no service", name)
		}
		if (r.Method != http.MethodGet) != (r.BodyLimit > 0) {
			t.Errorf("%s: body limit %d", name, r.BodyLimit)
		}
		if wantKey := r.Service == Booking && strings.Contains(r.Path, "{id}"); wantKey != (r.Key == ByEvent) {
			t.Errorf("%s: routed by the owner of the event: %v, want %v", name, r.Key == ByEvent, wantKey)
		}
		webhook := r.Path == "/webhooks/psp"                            // signed; duplicates have no effect
		once := webhook || r.Path == "/api/v1/events/{id}/check-ins" || // by the scan_id, which the body must have
			r.Path == "/api/v1/events/{id}/queue/place" // an account has one place
		if r.Retry && !once && (r.Method == http.MethodPost || r.Method == http.MethodPatch ||
			r.Method == http.MethodDelete) {
			t.Errorf("%s has an effect each time, and would be retried", name)
		}
		if r.Method != http.MethodGet && r.Access != Session && !webhook &&
			!strings.HasPrefix(r.Path, "/api/v1/auth/") {
			t.Errorf("%s changes something for anybody", name)
		}
	}
}
