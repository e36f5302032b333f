// Package testkit holds what the tests of all modules share: real backends with
// a separate namespace for each test, identities, and waiting for conditions.
package testkit

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// Backend returns the address of a backend from the environment, such as
// FRONTROW_TEST_POSTGRES. If it is unset the test fails: without the backend it
// would prove nothing.
func Backend(t testing.TB, variable string) string {
	t.Helper()
	v := os.Getenv(variable)
	if v == "" {
		t.Fatalf("%s is not set: this test needs a real backend, run it by `make test`", variable)
	}
	return v
}

// Postgres returns FRONTROW_TEST_POSTGRES, a URL whose role may create databases.
func Postgres(t testing.TB) string { t.Helper(); return Backend(t, "FRONTROW_TEST_POSTGRES") }

// Redis returns FRONTROW_TEST_REDIS, a redis:// URL.
func Redis(t testing.TB) string { t.Helper(); return Backend(t, "FRONTROW_TEST_REDIS") }

// Kafka returns FRONTROW_TEST_KAFKA, host:port.
func Kafka(t testing.TB) string { t.Helper(); return Backend(t, "FRONTROW_TEST_KAFKA") }

// Cassandra returns FRONTROW_TEST_CASSANDRA, host:port.
func Cassandra(t testing.TB) string { t.Helper(); return Backend(t, "FRONTROW_TEST_CASSANDRA") }

// Consul returns FRONTROW_TEST_CONSUL, host:port.
func Consul(t testing.TB) string { t.Helper(); return Backend(t, "FRONTROW_TEST_CONSUL") }

// Unique returns a name that nobody else uses: prefix, underscore, 12 hex
// digits.
func Unique(prefix string) string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return prefix + "_" + hex.EncodeToString(b[:])
}

// Eventually waits until condition holds, polling every few milliseconds, and
// fails the test after a minute: long enough for a busy machine, never a
// statement about speed.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		if condition() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("condition not met within a minute: %s", what)
		}
		time.Sleep(pause)
	}
}

// Seed returns a new base64 key of 32 bytes, which may be an Ed25519 seed.
func Seed(t testing.TB) string {
	t.Helper()
	var seed [ed25519.SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(seed[:])
}

// Signer returns a signer of identities for a service, and its key.
func Signer(t testing.TB, audience string) (s *identity.Signer, key string) {
	t.Helper()
	key = Seed(t)
	s, err := identity.NewSigner(audience, key)
	if err != nil {
		t.Fatal(err)
	}
	return s, key
}

// Forged returns an admin token for a service, signed with a key that no
// service knows.
func Forged(t testing.TB, audience string) string {
	t.Helper()
	s, _ := Signer(t, audience)
	return s.Sign(identity.Identity{UserID: uuid.Must(uuid.NewV7()), Role: identity.Admin})
}

// FreeAddr returns a 127.0.0.1 address that is free.
func FreeAddr(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// drivers are the imports that a domain package must not have, directly or not.
var drivers = []string{
	"database/sql", "github.com/jackc/", "github.com/gocql/", "github.com/redis/",
	"github.com/confluentinc/", "github.com/hashicorp/consul", "github.com/gorilla/",
	"/internal/postgres", "/internal/cassandra", "/internal/redis", "/internal/kafka", "/internal/httpapi",
}

// AssertNoDrivers fails when the package, or anything it imports, is a driver
// or wraps one: the domain declares interfaces for what it needs, and the
// packages named after their dependency implement them.
func AssertNoDrivers(t testing.TB, importPath string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", importPath).CombinedOutput()
	if err != nil {
		t.Fatalf("go list -deps %s: %v\n%s", importPath, err, out)
	}
	for dep := range strings.FieldsSeq(string(out)) {
		if dep == "database/sql/driver" {
			// It has only interfaces; google/uuid implements them.
			continue
		}
		for _, d := range drivers {
			if strings.HasPrefix(dep, d) || strings.HasPrefix(d, "/") && strings.Contains(dep, d) {
				t.Errorf("%s imports %s: the domain must not know drivers; move it to the package named after that dependency", importPath, dep)
			}
		}
	}
}
