// Package system finds the running Frontrow that `make up` or `make test` has
// started, and stops, starts and kills its processes.
package system

import (
	"fmt"
	"os"
	"strings"
)

// System is a running Frontrow, as described by environment variables.
type System struct {
	// URL is the API's address at the gateway.
	URL           string
	AdminEmail    string
	AdminPassword string
	// Postgres is the URL of the database postgres; Redis is a redis:// URL;
	// the others are host:port, Cassandra with role:password@ if it asks for one.
	Postgres, Redis, Kafka, Cassandra, Consul string
	Keyspace                                  string
}

// Open reads the environment.
func Open() (*System, error) {
	s := &System{}
	for name, field := range map[string]*string{
		"FRONTROW_URL": &s.URL, "FRONTROW_ADMIN_EMAIL": &s.AdminEmail, "FRONTROW_ADMIN_PASSWORD": &s.AdminPassword,
		"FRONTROW_POSTGRES": &s.Postgres, "FRONTROW_REDIS": &s.Redis, "FRONTROW_KAFKA": &s.Kafka,
		"FRONTROW_CASSANDRA": &s.Cassandra, "FRONTROW_CASSANDRA_KEYSPACE": &s.Keyspace, "FRONTROW_CONSUL": &s.Consul,
	} {
		*field = os.Getenv(name)
		if *field == "" {
			return nil, fmt.Errorf("%s is not set: this needs a running Frontrow; use `make test`, or `make up` and `make demo`", name)
		}
	}
	return s, nil
}

// Address returns the public host:port of a process, such as booking-service-2.
func (s *System) Address(process string) (string, error) { return processVariable(process, "") }

// AdminAddress returns the host:port of a process's metrics and health.
func (s *System) AdminAddress(process string) (string, error) {
	return processVariable(process, "_ADMIN")
}

func processVariable(process, suffix string) (string, error) {
	name := "FRONTROW_" + strings.ToUpper(strings.ReplaceAll(process, "-", "_")) + suffix
	value := os.Getenv(name)
	if value == "" {
		return "", fmt.Errorf("%s is not set: the running Frontrow has no process %s", name, process)
	}
	return value, nil
}
