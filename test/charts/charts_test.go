// Package charts tests Helm's output for the charts, without a cluster.
package charts

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kubeVersion is the version of the cluster on which the charts are tested.
const kubeVersion = "1.34.3"

// rendering is a chart rendered with the values of a profile.
type rendering struct {
	name, chart, release string
	values               []string
	sets                 []string
}

var renderings = []rendering{
	{name: "frontrow", chart: "frontrow", release: "frontrow"},
	{name: "frontrow-kind", chart: "frontrow", release: "frontrow", values: []string{"kind"}},
	{name: "frontrow-operators", chart: "frontrow", release: "frontrow", values: []string{"kind", "operators"}},
	{name: "frontrow-tilt", chart: "frontrow", release: "frontrow", values: []string{"kind", "tilt"}},
	{name: "frontrow-production", chart: "frontrow", release: "frontrow", values: []string{"production"}},
	{name: "frontrow-http-route", chart: "frontrow", release: "frontrow", sets: []string{
		"httpRoute.enabled=true", "httpRoute.parentRefs[0].name=public", "api-gateway.trustedProxies[0]=10.0.0.0/16",
	}},
	{name: "data", chart: "frontrow-data", release: "data"},
	{name: "data-kind", chart: "frontrow-data", release: "data", values: []string{"kind"}},
	{name: "data-operators", chart: "frontrow-data", release: "data", values: []string{"kind", "operators"}},
	{name: "data-tilt", chart: "frontrow-data", release: "data", values: []string{"kind", "tilt"}},
	{name: "data-production", chart: "frontrow-data", release: "data", values: []string{"production"}},
}

// A change to a chart shows up in the goldens: UPDATE=1 go test ./charts
// rewrites them, for review and commit.
func TestRenderedObjects(t *testing.T) {
	for _, r := range renderings {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			got, err := r.render(t)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", r.name+".yaml")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s is rendered otherwise (UPDATE=1 writes it anew):\n%s", r.name, diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		chart, set, says string
	}{
		{"frontrow", "booking-service.replica=5", "replica"},
		{"frontrow", "global.kafka.caSecrets=x", "caSecrets"},
		{"frontrow", "globals.version=1", "globals"},
		{"frontrow", "global.version=latest", "version"},
		{"frontrow", "booking-service.autoscaling.enabled=true,booking-service.autoscaling.maxReplicas=2", "maxReplicas"},
		{"frontrow", "ingress.enabled=true", "trustedProxies"},
		{"frontrow", "httpRoute.enabled=true,api-gateway.trustedProxies[0]=10.0.0.0/8", "parentRefs"},
		{"frontrow", "psp-simulator.enabled=false", "payment-service.psp.url"},
		{"frontrow", "payment-service.psp.url=psp.example", "url"},
		{"frontrow-data", "kafka.replica=3", "replica"},
		{"frontrow-data", "kafka.mode=zookeeper", "mode"},
		{"frontrow-data", "kafka.replicas=2", "replicas"},
		{"frontrow-data", "kafka.mode=external", "kafka.external.brokers"},
		{"frontrow-data", "postgres.mode=external", "existingSecret"},
		{"frontrow-data", "cassandra.external.hosts=a:9042", "cassandra.external.hosts"},
	} {
		t.Run(c.chart+" "+c.set, func(t *testing.T) {
			t.Parallel()
			_, err := rendering{chart: c.chart, release: "x", sets: []string{c.set}}.render(t)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want a refusal that names %s", err, c.says)
			}
		})
	}
}

// secret values are random where none were given.
var random = regexp.MustCompile(`(?m)^(  (?:(?:[a-z-]+-)?(?:keys?|password|url|secret)|identity-[a-z-]+)): [A-Za-z0-9+/=]+$`)

func (r rendering) render(t *testing.T) (string, error) {
	t.Helper()
	charts := prepared(t)
	chart := filepath.Join(charts, r.chart)
	args := []string{"template", r.release, chart, "--namespace", "frontrow", "--kube-version", kubeVersion}
	for _, v := range r.values {
		args = append(args, "--values", filepath.Join(chart, "values-"+v+".yaml"))
	}
	for _, s := range r.sets {
		args = append(args, "--set", s)
	}
	out, err := helm(args...)
	return random.ReplaceAllString(out, "$1: RANDOM"), err
}

type helmError struct{ says string }

func (e helmError) Error() string { return e.says }

func helm(args ...string) (string, error) {
	program := os.Getenv("FRONTROW_HELM")
	if program == "" {
		program = "helm"
	}
	var out, says bytes.Buffer
	command := exec.Command(program, args...)
	command.Stdout, command.Stderr = &out, &says
	if err := command.Run(); err != nil {
		return "", helmError{says.String() + err.Error()}
	}
	return out.String(), nil
}

var preparation struct {
	sync.Once
	charts string
	err    error
}

// prepared is a copy of the charts, each with its dependencies.
func prepared(t *testing.T) string {
	t.Helper()
	preparation.Do(func() {
		preparation.charts, preparation.err = os.MkdirTemp("", "charts") //nolint:usetesting // outlives the first test
		if preparation.err != nil {
			return
		}
		if preparation.err = os.CopyFS(preparation.charts, os.DirFS("../../charts")); preparation.err != nil {
			return
		}
		for _, chart := range []string{"api-gateway", "auth-service", "event-service", "booking-service", "payment-service", "psp-simulator", "frontrow"} {
			if _, preparation.err = helm("dependency", "build", filepath.Join(preparation.charts, chart)); preparation.err != nil {
				return
			}
		}
	})
	if preparation.err != nil {
		t.Fatal(preparation.err)
	}
	return preparation.charts
}

func TestMain(m *testing.M) {
	status := m.Run()
	_ = os.RemoveAll(preparation.charts)
	os.Exit(status)
}
