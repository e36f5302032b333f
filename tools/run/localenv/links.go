package main

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
)

// link is a proxy between two parts of the cluster, on which a test injects network faults.
type link struct {
	name     string
	listen   string
	upstream string
}

const (
	toxiproxyName = "toxiproxy"
	viewsName     = "sentinel-views"
	// linkPorts is the first port of toxiproxy's API, the links and the Sentinel views.
	linkPorts = 30000
)

func (s *system) toxiproxyPort() int { return linkPorts }

// Names of the links that belong to a node and are shared by all its clients and peers: the node itself
// announces its address.
func kafkaClients(node int) string     { return fmt.Sprintf("kafka-%d:clients", node) }
func kafkaBrokers(node int) string     { return fmt.Sprintf("kafka-%d:brokers", node) }
func kafkaControllers(node int) string { return fmt.Sprintf("kafka-%d:controllers", node) }
func cassandraClients(node int) string { return fmt.Sprintf("cassandra-%d:clients", node) }
func cassandraPeers(node int) string   { return fmt.Sprintf("cassandra-%d:peers", node) }

// redisPeers is how the Sentinels and the other Redis reach a Redis.
func redisPeers(node int) string { return fmt.Sprintf("redis-%d:peers", node) }

// links returns the links of the cluster, always in the same order and on the same ports. Other instances
// have none.
func (s *system) links() []link {
	if !s.clustered() {
		return nil
	}
	var list []link
	port := linkPorts
	add := func(name, upstream string) {
		port++
		list = append(list, link{name: name, listen: local(port), upstream: upstream})
	}
	for node := 1; node <= redisNodes; node++ {
		add(redisPeers(node), s.redisAddress(node))
	}
	for node := 1; node <= kafkaNodes; node++ {
		add(kafkaClients(node), local(s.kafkaPort(node, kafkaClientPort)))
		add(kafkaBrokers(node), local(s.kafkaPort(node, kafkaBrokerPort)))
		add(kafkaControllers(node), local(s.kafkaPort(node, kafkaControllerPort)))
	}
	for node := 1; node <= cassandraNodes; node++ {
		clients, peers := strconv.Itoa(s.ports.backend(9042)), strconv.Itoa(s.ports.backend(7000))
		here, there := cassandraLinkHost(node), cassandraHost(node)
		list = append(list,
			link{cassandraClients(node), net.JoinHostPort(here, clients), net.JoinHostPort(there, clients)},
			link{cassandraPeers(node), net.JoinHostPort(here, peers), net.JoinHostPort(there, peers)})
	}
	for _, c := range s.clusterClients() {
		for _, backend := range c.backends {
			switch backend {
			case "postgres":
				add(c.process+":postgres", local(s.ports.backend(5432)))
			case "consul":
				add(c.process+":consul", local(s.ports.backend(8500)))
			case "mail":
				add(c.process+":mail", local(s.ports.backend(mailPort)))
			case "redis":
				for node := 1; node <= redisNodes; node++ {
					add(redisLink(c.process, node), s.redisAddress(node))
				}
				for node := 1; node <= sentinelNodes; node++ {
					add(sentinelLink(c.process, node), local(c.views+node))
				}
			case "provider":
				add(c.process+":provider", local(s.ports.service(providerPort)))
			case "webhooks":
				add(c.process+":gateway", local(s.ports.service(8080)))
			case "gateway":
				add("gateway:"+c.process, local(s.ports.service(c.port)))
			}
		}
	}
	return list
}

// client is a process of the cluster that reaches backends through its own links. "gateway" stands for
// requests to the gateways, "provider" for requests to the payment provider, and "webhooks" for the
// provider's requests to a gateway.
type client struct {
	process  string
	port     int // standard port
	backends []string
	// views is the base port of its Sentinel views, which use the ports above it.
	views int
}

func (s *system) clusterClients() []client {
	backends := map[string][]string{
		"auth-service":         {"postgres", "redis", "consul", "gateway"},
		"event-service":        {"postgres", "consul", "gateway"},
		"booking-service":      {"redis", "consul", "gateway"},
		"payment-service":      {"postgres", "consul", "provider", "gateway"},
		"notification-service": {"postgres", "consul", "mail", "gateway"},
		providerName:           {"postgres", "webhooks"},
		"api-gateway":          {"redis", "consul"},
	}
	var clients []client
	for _, v := range s.services(secrets{IdentitySeed: make([]byte, 32)}) {
		for i, name := range v.instances() {
			clients = append(clients, client{
				process: name, port: v.ports[i], backends: backends[v.name], views: linkPorts + 200 + 10*len(clients),
			})
		}
	}
	return clients
}

func redisLink(process string, node int) string { return fmt.Sprintf("%s:redis-%d", process, node) }
func sentinelLink(process string, node int) string {
	return fmt.Sprintf("%s:sentinel-%d", process, node)
}

// linkAddress is where a link listens, or "" if there is no link of that name.
func (s *system) linkAddress(name string) string {
	for _, l := range s.links() {
		if l.name == name {
			return l.listen
		}
	}
	return ""
}

// toxiproxyConfig lists the proxies that toxiproxy creates when it starts.
func (s *system) toxiproxyConfig() ([]byte, error) {
	var proxies []object
	for _, l := range s.links() {
		proxies = append(proxies, object{"name": l.name, "listen": l.listen, "upstream": l.upstream, "enabled": true})
	}
	return json.MarshalIndent(proxies, "", "  ")
}
