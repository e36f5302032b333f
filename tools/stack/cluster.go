package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// How many nodes the cluster has. Postgres and Consul have one: nothing that must survive them depends on a second.
const (
	cassandraNodes = 3
	kafkaNodes     = 3
	redisNodes     = 2
	sentinelNodes  = 3
)

// A Kafka node's listeners, as distances from its first port.
const (
	kafkaClientPort     = 0
	kafkaControllerPort = 1
	kafkaBrokerPort     = 2
	// kafkaDirectPort is one without a link, for those who watch and hurt the cluster.
	kafkaDirectPort = 3
)

func (s *stack) kafkaPort(node, listener int) int {
	return s.ports.backend(9092) + 10*(node-1) + listener
}

// The nodes of Cassandra must have the same ports, so each has an address of its own, and its links another.
func cassandraHost(node int) string     { return fmt.Sprintf("127.0.0.%d", node) }
func cassandraLinkHost(node int) string { return fmt.Sprintf("127.0.1.%d", node) }

func (s *stack) redisAddress(node int) string    { return local(s.ports.backend(6379) + node - 1) }
func (s *stack) sentinelAddress(node int) string { return local(s.ports.backend(6381) + node - 1) }

// redisPrimary is the name by which the Sentinels know the primary.
const redisPrimary = "frontrow"

// sentinelURL is what pkg/redisclient understands. Without a process it names the first Sentinel itself, which knows the
// others: a shell that reads the file of addresses would stumble over a list of them.
func (s *stack) sentinelURL(process string) string {
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

// clusterEnv is what a process of the cluster is told beside what others are.
func (s *stack) clusterEnv(process string) map[string]string {
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

// clusterLines are what a test of the cluster needs beside envLines.
func (s *stack) clusterLines(p plan) []string {
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

// list joins an address of each of n nodes by commas.
func list(n int, address func(node int) string) string {
	addresses := make([]string, n)
	for i := range addresses {
		addresses[i] = address(i + 1)
	}
	return strings.Join(addresses, ",")
}
