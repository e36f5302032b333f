package main

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const cassandraKeyspace = "bookings"

// service is one of Frontrow's own services, with the standard port of each replica. env returns a process's
// environment.
type service struct {
	name     string
	ports    []int
	migrates bool
	env      func(process string) map[string]string
}

// services returns the services in display order. Where there are links, each process reaches a backend by
// its own link.
func (s *system) services(keys secrets) []service {
	gateways := []int{8080}
	if s.clustered() {
		gateways = append(gateways, secondGatewayPort)
	}
	common := func(process string, more map[string]string) map[string]string {
		env := map[string]string{"CONSUL_ADDR": s.reach(process, "consul"), "IDENTITY_KEYS": keys.identityKey(strings.TrimRight(process, "-0123456789"))}
		maps.Copy(env, more)
		maps.Copy(env, s.clusterEnv(process))
		return env
	}
	return []service{
		{name: "auth-service", ports: []int{8081}, migrates: true, env: func(process string) map[string]string {
			env := common(process, map[string]string{
				"POSTGRES_URL": s.postgresURL(process, "auth", keys), "REDIS_URL": s.redisURL(process), "KAFKA_BROKERS": s.kafkaBrokers(),
				"AUTH_KEY": keys.authKey(), "IDENTITY_KEYS_NOTIFICATION": keys.identityKey(notificationToAuth),
				// Here all buyers share one address, and tests and the demo register many of them.
				"AUTH_REGISTRATIONS_PER_NETWORK": "0", "AUTH_REGISTRATIONS_TOTAL": "0",
			})
			if s.underLoad() {
				env["AUTH_REQUIRE_VERIFIED"] = "false"
			}
			if isMigration(process) {
				env["ADMIN_EMAIL"], env["ADMIN_PASSWORD"] = adminEmail, keys.AdminPassword
			}
			return env
		}},
		{name: "event-service", ports: []int{8082}, migrates: true, env: func(process string) map[string]string {
			return common(process, map[string]string{
				"POSTGRES_URL": s.postgresURL(process, "events", keys), "KAFKA_BROKERS": s.kafkaBrokers(),
			})
		}},
		{name: "booking-service", ports: []int{8084, 8085, 8086}, migrates: true, env: func(process string) map[string]string {
			env := common(process, map[string]string{
				"CASSANDRA_HOSTS": s.cassandraHosts(), "CASSANDRA_KEYSPACE": cassandraKeyspace,
				"REDIS_URL": s.redisURL(process), "KAFKA_BROKERS": s.kafkaBrokers(), "TICKET_SIGNING_KEY": keys.ticketKey(),
				"IDENTITY_KEYS_PAYMENT":      keys.identityKey(paymentToBooking),
				"IDENTITY_KEYS_NOTIFICATION": keys.identityKey(notificationToBooking),
			})
			if s.underLoad() {
				// One program solves the challenges of thousands of people.
				env["QUEUE_POW_BITS"] = "8"
			}
			if s.instance == "bench" {
				// The baseline that stores holds as rows, for comparison.
				env["BENCH_POSTGRES_URL"] = s.postgresURL(process, "postgres", keys)
			}
			return env
		}},
		{name: "payment-service", ports: []int{8087, 8088}, migrates: true, env: func(process string) map[string]string {
			return common(process, map[string]string{
				"POSTGRES_URL": s.postgresURL(process, "payments", keys), "KAFKA_BROKERS": s.kafkaBrokers(),
				"PSP_URL": "http://" + s.reach(process, "provider") + "/psp/v1", "PSP_API_KEY": keys.providerKey(),
				"PSP_WEBHOOK_SECRET": keys.WebhookSecret, "IDENTITY_KEYS_BOOKING": keys.identityKey(paymentToBooking),
			})
		}},
		{name: "notification-service", ports: []int{8083}, migrates: true, env: func(process string) map[string]string {
			return common(process, map[string]string{
				"POSTGRES_URL": s.postgresURL(process, "notifications", keys), "KAFKA_BROKERS": s.kafkaBrokers(),
				"IDENTITY_KEYS_AUTH": keys.identityKey(notificationToAuth), "IDENTITY_KEYS_BOOKING": keys.identityKey(notificationToBooking),
				"SMTP_URL": "smtp://" + s.reach(process, "mail") + "?tls=none", "MAIL_FROM": "Frontrow <tickets@frontrow.example>",
				"PUBLIC_URL": s.publicURL(),
			})
		}},
		{name: providerName, ports: []int{providerPort}, migrates: true, env: func(process string) map[string]string {
			return map[string]string{
				"POSTGRES_URL": s.postgresURL(process, "psp", keys), "PSP_API_KEY": keys.providerKey(),
				"PSP_WEBHOOK_URL": "http://" + s.reach(process, "gateway") + "/webhooks/psp", "PSP_WEBHOOK_SECRET": keys.WebhookSecret,
			}
		}},
		{name: "api-gateway", ports: gateways, env: func(process string) map[string]string { return s.gatewayEnv(process, keys) }},
	}
}

func (s *system) gatewayEnv(process string, keys secrets) map[string]string {
	env := map[string]string{
		"IDENTITY_KEYS_AUTH":         keys.identityKey("auth-service"),
		"IDENTITY_KEYS_EVENT":        keys.identityKey("event-service"),
		"IDENTITY_KEYS_BOOKING":      keys.identityKey("booking-service"),
		"IDENTITY_KEYS_PAYMENT":      keys.identityKey("payment-service"),
		"IDENTITY_KEYS_NOTIFICATION": keys.identityKey("notification-service"),
		"REDIS_URL":                  s.redisURL(process),
		"CONSUL_ADDR":                s.reach(process, "consul"),
		// Here all buyers share one address.
		"RATE_LIMIT_ADDRESS": "5000",
	}
	if s.underLoad() {
		// Beyond this machine's capacity: the limits must not affect what is measured or tested.
		env["RATE_LIMIT_SESSION"], env["RATE_LIMIT_ADDRESS"] = "1000000", "1000000"
		env["SESSION_RECENT"] = "24h"
	}
	return env
}

// underLoad reports whether programs act as many people in this instance: nobody reads their mail or enters
// their password again.
func (s *system) underLoad() bool { return s.instance == "bench" || s.clustered() }

// The simulated payment provider. It is not one of our services: it has no identity, and Consul does not know
// it.
const (
	providerName = "psp-simulator"
	providerPort = 8089
)

// reach is the address at which a process reaches a backend, the payment provider or a gateway: its own link,
// if there is one.
func (s *system) reach(process, backend string) string {
	if address := s.linkAddress(process + ":" + backend); address != "" {
		return address
	}
	switch backend {
	case "provider":
		return local(s.ports.service(providerPort))
	case "gateway":
		return local(s.ports.service(8080))
	}
	return local(s.ports.backend(map[string]int{"postgres": 5432, "consul": 8500, "mail": mailPort}[backend]))
}

func (s *system) kafkaBrokers() string {
	if s.clustered() {
		return list(kafkaNodes, func(node int) string { return s.linkAddress(kafkaClients(node)) })
	}
	return local(s.ports.backend(9092))
}

func (s *system) cassandraHosts() string {
	if s.clustered() {
		return list(cassandraNodes, func(node int) string { return s.linkAddress(cassandraClients(node)) })
	}
	return local(s.ports.backend(9042))
}

// redisURL returns the URL for a process. The empty process has no links.
func (s *system) redisURL(process string) string {
	if s.clustered() {
		return s.sentinelURL(process)
	}
	return fmt.Sprintf("redis://%s/0", local(s.ports.backend(6379)))
}

func (s *system) postgresURL(process, database string, keys secrets) string {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(postgresUser, keys.PostgresPassword),
		Host: s.reach(process, "postgres"), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return address.String()
}

// instances names the processes of a service: booking-service-1, or just auth-service if there is only one.
func (v service) instances() []string {
	if len(v.ports) == 1 {
		return []string{v.name}
	}
	var names []string
	for i := range v.ports {
		names = append(names, v.name+"-"+strconv.Itoa(i+1))
	}
	return names
}

func migrationOf(service string) string { return service + "-migrate" }

// serviceProcesses returns the migrations, and the services in display order.
func (s *system) serviceProcesses(keys secrets) (migrations, services []process) {
	for _, v := range s.services(keys) {
		for i, name := range v.instances() {
			services = append(services, s.serviceProcess(name, v.name, v.ports[i], v.env(name)))
		}
		if v.migrates {
			name := migrationOf(v.name)
			migrations = append(migrations, process{
				name: name, command: []string{s.binary(v.name), "migrate"}, dir: s.root,
				env: s.instanceEnv(name, v.ports[0], v.env(name)), oneShot: true,
			})
		}
	}
	if s.instance == "test" {
		const name = "api-gateway-spread"
		env := s.gatewayEnv(name, keys)
		env["ROUTING"] = "spread"
		services = append(services, s.serviceProcess(name, "api-gateway", secondGatewayPort, env))
	}
	return migrations, services
}

// secondGatewayPort belongs to a second gateway: in the test instance, one that does not keep a block's
// requests together (the replicas must be correct without that); in the cluster, one like the first.
const secondGatewayPort = 8090

func (s *system) serviceProcess(name, service string, port int, env map[string]string) process {
	public, admin := s.ports.service(port), s.ports.admin(port)
	return process{
		name: name, command: []string{s.binary(service)}, dir: s.root, env: s.instanceEnv(name, port, env),
		ports: []int{public, admin}, readyPort: admin, readyPath: "/readyz", stopSeconds: 30,
	}
}

func (s *system) instanceEnv(name string, port int, env map[string]string) []string {
	all := map[string]string{
		"HTTP_ADDR":   local(s.ports.service(port)),
		"ADMIN_ADDR":  local(s.ports.admin(port)),
		"INSTANCE_ID": name,
		// The load test and `make pgo` read profiles.
		"PPROF": "true",
	}
	if s.instance == "test" {
		// Every second request, to the collector of the end-to-end tests.
		all["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://" + s.otlp()
		all["OTEL_TRACES_SAMPLER"], all["OTEL_TRACES_SAMPLER_ARG"] = "parentbased_traceidratio", "0.5"
		all["OTEL_BSP_SCHEDULE_DELAY"] = "500"
	}
	maps.Copy(all, env)
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		lines = append(lines, key+"="+all[key])
	}
	return lines
}

func (s *system) otlp() string { return local(s.ports.backend(4318)) }

func isMigration(name string) bool { return strings.HasSuffix(name, "-migrate") }
