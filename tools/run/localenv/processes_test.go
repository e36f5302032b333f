package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func testSecrets() secrets {
	return secrets{IdentitySeed: make([]byte, 32), TicketSeed: make([]byte, 32), WebhookSecret: "w", AdminPassword: "a", PostgresPassword: "p"}
}

func TestSecretsAreMadeOnceAndPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := loadSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := loadSecrets(dir)
	if err != nil {
		t.Fatal(err)
	}
	if first.AdminPassword == "" || first.AdminPassword != second.AdminPassword || first.identityKey("x") != second.identityKey("x") {
		t.Errorf("secrets changed from %+v to %+v", first, second)
	}
	info, err := os.Stat(filepath.Join(dir, "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the secrets: %v", info.Mode())
	}
}

func TestDamagedSecretsAreNotReplaced(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secrets.json"), "{")
	if _, err := loadSecrets(dir); err == nil {
		t.Error("want a refusal: the stored data was signed with the secrets that are damaged")
	}
}

func TestSupervisorNeverEndsAProcessForBeingUnready(t *testing.T) {
	s, _ := newTestSystem(t)
	_, services := s.serviceProcesses(testSecrets())
	text, err := supervisorConfig(services, s.runDir, s.logFile)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Processes map[string]struct {
			Disabled       bool           `json:"disabled"`
			DependsOn      map[string]any `json:"depends_on"`
			ReadinessProbe struct {
				FailureThreshold int `json:"failure_threshold"`
			} `json:"readiness_probe"`
		} `json:"processes"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	if len(config.Processes) != 10 {
		t.Errorf("%d processes, want auth, event, 3 booking, 2 payment, notification, the provider, gateway", len(config.Processes))
	}
	for name, p := range config.Processes {
		if !p.Disabled || len(p.DependsOn) > 0 || p.ReadinessProbe.FailureThreshold < 1<<30 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestServicesHaveTheirOwnIdentityKeysOnly(t *testing.T) {
	s, _ := newTestSystem(t)
	keys := testSecrets()
	_, services := s.serviceProcesses(keys)
	owners := map[string][]string{
		"auth-service": {"auth-service", "api-gateway"}, "event-service": {"event-service", "api-gateway"},
		"booking-service": {"booking-service", "api-gateway"}, "payment-service": {"payment-service", "api-gateway"},
		"notification-service": {"notification-service", "api-gateway"},
		paymentToBooking:       {"payment-service", "booking-service"},
		notificationToAuth:     {"notification-service", "auth-service"},
		notificationToBooking:  {"notification-service", "booking-service"},
	}
	for _, p := range services {
		for name, of := range owners {
			has := strings.Contains(strings.Join(p.env, "\n"), "="+keys.identityKey(name))
			wants := slices.ContainsFunc(of, func(owner string) bool { return strings.HasPrefix(p.name, owner) })
			if has != wants {
				t.Errorf("%s has the key %s: %v", p.name, name, has)
			}
		}
	}
	for _, line := range s.envLines(plan{keys: keys, services: services}) {
		if strings.Contains(line, keys.identityKey("booking-service")) {
			t.Errorf("the file of addresses tells a key: %s", line)
		}
	}
}

func TestOnlyTheMigrationHasTheAdminsPassword(t *testing.T) {
	s, _ := newTestSystem(t)
	migrations, services := s.serviceProcesses(testSecrets())
	for _, p := range append(migrations, services...) {
		has := slices.Contains(p.env, "ADMIN_PASSWORD=a")
		if want := p.name == migrationOf("auth-service"); has != want {
			t.Errorf("%s has the admin's password: %t", p.name, has)
		}
	}
}

func TestLastLinesCutsWhatIsTooLong(t *testing.T) {
	got := lastLines("a\nb\n"+strings.Repeat("x", 1000)+"\n", 2)
	first, second, _ := strings.Cut(got, "\n")
	if first != "b" || len(second) > 420 || !strings.HasSuffix(second, "…") {
		t.Errorf("got %q", got)
	}
}

func TestMissingSentenceNamesProgramsAndPackages(t *testing.T) {
	got := missingSentence([]prerequisite{{name: "gcc", packages: []string{"gcc", "libc6-dev"}}, {name: "redis-server", packages: []string{"redis-server"}}})
	for _, want := range []string{"gcc, redis-server", "apt-get install gcc libc6-dev redis-server"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
