package charts

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var prepared *Charts

func TestMain(m *testing.M) {
	var err error
	if prepared, err = Prepare(context.Background(), "../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = prepared.Remove()
	os.Exit(status)
}

func (p Profile) render(t *testing.T) string {
	t.Helper()
	text, err := prepared.Render(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The goldens show reviewers what a change to a chart does to the objects:
// UPDATE=1 go test ./charts rewrites them. rules_test.go and profiles_test.go
// say what must be true of all profiles, and of each.
func TestRenderedObjects(t *testing.T) {
	for _, name := range []string{"frontrow", "frontrow-production", "data", "data-tls", "data-production"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := reviewable(profile(t, name).render(t))
			golden := filepath.Join("testdata", name+".yaml")
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
				t.Errorf("%s has changed (UPDATE=1 rewrites the golden):\n%s", name, diff)
			}
		})
	}
}

var (
	// Secret values are random unless they are given.
	secretValue = regexp.MustCompile(`(?m)^(  (?:(?:[a-z-]+-)?(?:keys?|password|token|url|secret)|identity-[a-z-]+)): [A-Za-z0-9+/=]+$`)
	dashboard   = regexp.MustCompile(`(?m)^(  frontrow-[a-z-]+\.json: \|)\n(?:    .*\n)+`)
)

// reviewable replaces what is random, and the dashboards, which
// TestProductionHasEveryDashboard compares with their files.
func reviewable(rendered string) string {
	rendered = secretValue.ReplaceAllString(rendered, "$1: RANDOM")
	return dashboard.ReplaceAllString(rendered, "$1\n    DASHBOARD\n")
}

func profile(t *testing.T, name string) Profile {
	t.Helper()
	for _, p := range Profiles {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no profile %s", name)
	return Profile{}
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
		{"frontrow", "global.adminEmail=a@b.example", "global.mail.smtpSecret"},
		{"frontrow", "global.mail.smtpSecret=mail", "global.mail.publicUrl"},
		{"frontrow", "global.mail.from=tickets", "from"},
		{"frontrow", "global.accounts.adminSecondFactor=sometimes", "adminSecondFactor"},
		{"frontrow", "payment-service.psp.url=psp.example", "url"},
		{"frontrow-data", "kafka.replica=3", "replica"},
		{"frontrow-data", "kafka.mode=zookeeper", "mode"},
		{"frontrow-data", "kafka.replicas=2", "replicas"},
		{"frontrow-data", "kafka.mode=external", "kafka.external.brokers"},
		{"frontrow-data", "postgres.mode=external", "existingSecret"},
		{"frontrow-data", "cassandra.external.hosts=a:9042", "cassandra.external.hosts"},
		{"frontrow-data", "tls.mode=true", "tls"},
		{"frontrow-data", "tls.mode=certManager", "tls.issuer.name"},
		{"frontrow-data", "tls.mode=secret,tls.issuer.name=backends", "tls.issuer.name"},
	} {
		t.Run(c.chart+" "+c.set, func(t *testing.T) {
			t.Parallel()
			_, err := prepared.Render(t.Context(), Profile{Chart: c.chart, Release: "x", Sets: []string{c.set}})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want a refusal that names %s", err, c.says)
			}
		})
	}
}
