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

// service is one of Frontrow's own, with the standard port of each of its replicas.
type service struct {
	name     string
	ports    []int
	migrates bool
	env      map[string]string
}

func (s *stack) services(keys secrets) []service {
	kafka := local(s.ports.backend(9092))
	redis := s.redisURL()
	common := func(more map[string]string) map[string]string {
		env := map[string]string{"CONSUL_ADDR": local(s.ports.backend(8500)), "IDENTITY_PUBLIC_KEYS": keys.identityPublicKey()}
		maps.Copy(env, more)
		return env
	}
	return []service{
		{name: "auth-service", ports: []int{8081}, migrates: true, env: common(map[string]string{
			"POSTGRES_URL": s.postgresURL("auth", keys), "REDIS_URL": redis,
			"ADMIN_EMAIL": adminEmail, "ADMIN_PASSWORD": keys.AdminPassword,
		})},
		{name: "event-service", ports: []int{8082}, migrates: true, env: common(map[string]string{
			"POSTGRES_URL": s.postgresURL("events", keys), "KAFKA_BROKERS": kafka,
		})},
		{name: "booking-service", ports: []int{8084, 8085, 8086}, migrates: true, env: common(map[string]string{
			"CASSANDRA_HOSTS": local(s.ports.backend(9042)), "CASSANDRA_KEYSPACE": cassandraKeyspace,
			"REDIS_URL": redis, "KAFKA_BROKERS": kafka, "TICKET_SIGNING_KEY": keys.ticketKey(),
		})},
		{name: "payment-service", ports: []int{8087, 8088}, migrates: true, env: common(map[string]string{
			"POSTGRES_URL": s.postgresURL("payments", keys), "KAFKA_BROKERS": kafka, "PSP_WEBHOOK_SECRET": keys.WebhookSecret,
		})},
		{name: "api-gateway", ports: []int{8080}, env: s.gatewayEnv(keys)},
	}
}

func (s *stack) gatewayEnv(keys secrets) map[string]string {
	return map[string]string{
		"IDENTITY_PRIVATE_KEY": keys.identityPrivateKey(),
		"REDIS_URL":            s.redisURL(),
		"CONSUL_ADDR":          local(s.ports.backend(8500)),
		// Here all buyers come from one address.
		"RATE_LIMIT_ADDRESS": "5000",
	}
}

func (s *stack) redisURL() string { return fmt.Sprintf("redis://%s/0", local(s.ports.backend(6379))) }

func (s *stack) postgresURL(database string, keys secrets) string {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(postgresUser, keys.PostgresPassword),
		Host: local(s.ports.backend(5432)), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return address.String()
}

// instances names the processes of a service: booking-service-1, or just auth-service when there is one.
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

// serviceProcesses are the migrations, then the services themselves in the order in which they are shown.
func (s *stack) serviceProcesses(keys secrets) (migrations, services []process) {
	for _, v := range s.services(keys) {
		for i, name := range v.instances() {
			services = append(services, s.serviceProcess(name, v.name, v.ports[i], v.env))
		}
		if v.migrates {
			env := s.instanceEnv(migrationOf(v.name), v.ports[0], v.env)
			migrations = append(migrations, process{
				name: migrationOf(v.name), command: []string{s.binary(v.name), "migrate"}, dir: s.root, env: env, oneShot: true,
			})
		}
	}
	if s.instance == "test" {
		env := maps.Clone(s.gatewayEnv(keys))
		env["ROUTING"] = "spread"
		services = append(services, s.serviceProcess("api-gateway-spread", "api-gateway", spreadGatewayPort, env))
	}
	return migrations, services
}

// spreadGatewayPort belongs to a second gateway of the test instance, which does not keep a block's requests together: the
// replicas must be right without that.
const spreadGatewayPort = 8090

func (s *stack) serviceProcess(name, service string, port int, env map[string]string) process {
	public, admin := s.ports.service(port), s.ports.admin(port)
	return process{
		name: name, command: []string{s.binary(service)}, dir: s.root, env: s.instanceEnv(name, port, env),
		ports: []int{public, admin}, readyPort: admin, readyPath: "/readyz", stopSeconds: 30,
	}
}

func (s *stack) instanceEnv(name string, port int, env map[string]string) []string {
	all := map[string]string{
		"HTTP_ADDR":   local(s.ports.service(port)),
		"ADMIN_ADDR":  local(s.ports.admin(port)),
		"INSTANCE_ID": name,
	}
	maps.Copy(all, env)
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		lines = append(lines, key+"="+all[key])
	}
	return lines
}

func isMigration(name string) bool { return strings.HasSuffix(name, "-migrate") }
