package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// Number of nodes per backend. Postgres and Consul have one: nothing that must survive their failure depends
// on a second.
const (
	cassandraNodes = 3
	kafkaNodes     = 3
	redisNodes     = 2
	sentinelNodes  = 3
)

// A Kafka node's listeners, as offsets from its first port.
const (
	kafkaClientPort     = 0
	kafkaControllerPort = 1
	kafkaBrokerPort     = 2
	// kafkaDirectPort bypasses the links, for tests that observe the cluster and inject faults.
	kafkaDirectPort = 3
)

func (s *system) kafkaPort(node, listener int) int {
	return s.ports.backend(9092) + 10*(node-1) + listener
}

// Cassandra's nodes must share the same ports, so each has its own address, and its links have another.
func cassandraHost(node int) string     { return fmt.Sprintf("127.0.0.%d", node) }
func cassandraLinkHost(node int) string { return fmt.Sprintf("127.0.1.%d", node) }

func (s *system) redisAddress(node int) string    { return local(s.ports.backend(6379) + node - 1) }
func (s *system) sentinelAddress(node int) string { return local(s.ports.backend(6381) + node - 1) }

// redisPrimary is the name under which the Sentinels know the primary.
const redisPrimary = "frontrow"

// sentinelURL returns a URL for pkg/redisclient. Without a process it names only the first Sentinel, which
// knows the others: a shell that reads the env file could not handle a list.
func (s *system) sentinelURL(process string) string {
	if process == "" {
		return "redis://" + s.sentinelAddress(1) + "/0?master_name=" + redisPrimary
	}
	query := url.Values{"master_name": {redisPrimary}}
	var first string
	for node := 1; node <= sentinelNodes; node++ {
		address := s.linkAddress(sentinelLink(process, node))
		if address == "" {
			address = s.sentinelAddress(node)
		}
		if node == 1 {
			first = address
			continue
		}
		query.Add("addr", address)
	}
	return (&url.URL{Scheme: "redis", Host: first, Path: "/0", RawQuery: query.Encode()}).String()
}

// clusterEnv returns the additional environment of a process of the cluster.
func (s *system) clusterEnv(process string) map[string]string {
	if !s.clustered() {
		return nil
	}
	env := map[string]string{
		"CASSANDRA_REPLICATION":   strconv.Itoa(cassandraNodes),
		"KAFKA_TOPIC_REPLICATION": strconv.Itoa(kafkaNodes),
	}
	if address := s.linkAddress("gateway:" + process); address != "" {
		env["ADVERTISE_ADDR"] = address
	}
	return env
}

// clusterLines returns what a test of the cluster needs in addition to envLines.
func (s *system) clusterLines(p plan) []string {
	if !s.clustered() {
		return nil
	}
	var gateways []string
	for _, service := range p.services {
		if strings.HasPrefix(service.name, "api-gateway") {
			gateways = append(gateways, "http://"+local(service.ports[0])+"/api/v1")
		}
	}
	lines := []string{
		"FRONTROW_URLS=" + strings.Join(gateways, ","),
		"FRONTROW_TOXIPROXY=" + local(s.toxiproxyPort()),
		"FRONTROW_REDIS_NODES=" + list(redisNodes, s.redisAddress),
		"FRONTROW_SENTINELS=" + list(sentinelNodes, s.sentinelAddress),
		"FRONTROW_CLOCK_OFF=" + s.clockOffBinary(),
	}
	if s.disksInMemory() {
		lines = append(lines, "FRONTROW_POSTGRES_DISK="+filepath.Dir(s.postgresData()))
	}
	return lines
}

// list joins the addresses of n nodes with commas.
func list(n int, address func(node int) string) string {
	addresses := make([]string, n)
	for i := range addresses {
		addresses[i] = address(i + 1)
	}
	return strings.Join(addresses, ",")
}
