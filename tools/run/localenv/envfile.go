package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func (s *system) envFile() string { return filepath.Join(s.runDir, "env") }

func (s *system) baseURL() string {
	return s.publicURL() + "/api/v1"
}

// publicURL is where people reach the web app.
func (s *system) publicURL() string { return "http://localhost:" + fmt.Sprint(s.ports.service(8080)) }

// envLines lists what the demo and the tests need to find everything. Only tests get the keys with which
// identities could be forged.
func (s *system) envLines(p plan) []string {
	lines := []string{
		"FRONTROW_URL=" + s.baseURL(),
		"FRONTROW_ADMIN_EMAIL=" + adminEmail,
		"FRONTROW_ADMIN_PASSWORD=" + p.keys.AdminPassword,
		"FRONTROW_POSTGRES=" + s.postgresURL("", "postgres", p.keys),
		"FRONTROW_REDIS=" + s.redisURL(""),
		"FRONTROW_KAFKA=" + s.kafkaDirect(),
		"FRONTROW_CASSANDRA=" + s.cassandraHosts(),
		"FRONTROW_CASSANDRA_KEYSPACE=" + cassandraKeyspace,
		"FRONTROW_CONSUL=" + local(s.ports.backend(8500)),
		"FRONTROW_MAIL_URL=" + s.mailURL(),
		"FRONTROW_PROCESS_COMPOSE=" + s.socket(),
	}
	var names []string
	for _, process := range p.all() {
		if !process.oneShot {
			names = append(names, process.name)
		}
	}
	lines = append(lines, "FRONTROW_PROCESSES="+strings.Join(names, ","))
	for _, service := range p.services {
		key := "FRONTROW_" + strings.ToUpper(strings.ReplaceAll(service.name, "-", "_"))
		lines = append(lines, key+"="+local(service.ports[0]), key+"_ADMIN="+local(service.ports[1]))
	}
	if s.instance == "up" {
		return lines
	}
	lines = append(lines, s.clusterLines(p)...)
	return append(lines,
		"FRONTROW_IDENTITY_KEY_AUTH_SERVICE="+p.keys.identityKey("auth-service"),
		"FRONTROW_IDENTITY_KEY_EVENT_SERVICE="+p.keys.identityKey("event-service"),
		"FRONTROW_IDENTITY_KEY_BOOKING_SERVICE="+p.keys.identityKey("booking-service"),
		"FRONTROW_IDENTITY_KEY_PAYMENT_SERVICE="+p.keys.identityKey("payment-service"),
		"FRONTROW_IDENTITY_KEY_NOTIFICATION_SERVICE="+p.keys.identityKey("notification-service"),
		"FRONTROW_PSP_WEBHOOK_SECRET="+p.keys.WebhookSecret,
		"FRONTROW_OTLP="+s.otlp(),
		"FRONTROW_TEST_POSTGRES="+s.postgresURL("", "postgres", p.keys),
		"FRONTROW_TEST_REDIS="+s.redisURL(""),
		"FRONTROW_TEST_KAFKA="+s.kafkaDirect(),
		"FRONTROW_TEST_CASSANDRA="+s.cassandraHosts(),
		"FRONTROW_TEST_CONSUL="+local(s.ports.backend(8500)),
	)
}

func (s *system) writeEnv(p plan) error {
	return writeAtomically(s.envFile(), []byte(strings.Join(s.envLines(p), "\n")+"\n"))
}

func (s *system) printEnv(context.Context) error {
	text, err := os.ReadFile(s.envFile())
	if err != nil {
		return notRunning()
	}
	_, err = s.out.out.Write(text)
	return err
}

func (s *system) greet(p plan, took time.Duration) {
	fmt.Fprintf(s.out.out, `
Frontrow is up, after %.1f s.

  open     %s
  mail     %s (every mail that Frontrow sends)
  API      %s
  admin    %s
  password %s

(the same, with the backends' addresses, is in %s)

Next:
  make demo      sells an event to 200 buyers at once and counts
  README.md      has a walk-through with curl, from registering to the ticket
  make status    shows the processes
  make logs      shows what they say; make logs S=booking, one service
  make down      stops everything and keeps the data
`, took.Seconds(), s.publicURL(), s.mailURL(), s.baseURL(), adminEmail, p.keys.AdminPassword, s.relative(s.envFile()))
	if os.Getenv("DEMO") == "" {
		fmt.Fprintln(s.out.out, "\nTo buy a ticket: make up DEMO=1 puts events on sale and prints the login of a buyer.")
	}
}
