package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func kafkaName(node int) string     { return fmt.Sprintf("kafka-%d", node) }
func cassandraName(node int) string { return fmt.Sprintf("cassandra-%d", node) }
func redisName(node int) string     { return fmt.Sprintf("redis-%d", node) }
func sentinelName(node int) string  { return fmt.Sprintf("sentinel-%d", node) }

// Ten programs share two cores: garbage collection is single-threaded and methods are compiled only once.
var smallJVM = []string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k"}

// settling makes a node ready once it has seen the same set of nodes for a while.
var settling = []string{
	"-Dcassandra.skip_wait_for_gossip_to_settle=-1", "-Dcassandra.gossip_settle_min_wait_ms=1000", "-Dcassandra.gossip_settle_interval_ms=500",
}

// clusterBackends are the nodes. The other nodes can start once Cassandra's first node is ready, from which
// they learn the ring.
func (s *system) clusterBackends() []process {
	b := s.ports.backend
	list := []process{
		{
			name: toxiproxyName, dir: s.dataOf(toxiproxyName), ports: []int{s.toxiproxyPort()},
			readyPort: s.toxiproxyPort(), readyPath: "/version", env: []string{"LOG_LEVEL=warn"},
			command: []string{
				filepath.Join(s.location(s.artifact(toxiproxyName)), toxiproxyName),
				"-host=127.0.0.1", fmt.Sprintf("-port=%d", s.toxiproxyPort()), "-config=" + s.confFile(toxiproxyConf),
			},
		},
		{name: viewsName, dir: s.root, readyLine: viewsReady, command: []string{s.program(), "views"}},
		s.postgresProcess(),
		s.consulProcess(),
		s.mailpitProcess(),
	}
	for _, v := range s.links() {
		list[0].ports = append(list[0].ports, portsOn127001(v.listen)...)
	}
	for _, v := range s.views() {
		list[1].ports = append(list[1].ports, portsOn127001(v.listen)...)
	}
	for node := 1; node <= redisNodes; node++ {
		list = append(list, s.redisProcess(redisName(node), b(6379)+node-1, filepath.Join(s.dataOf(redisName(node)), "redis.conf")))
	}
	for node := 1; node <= sentinelNodes; node++ {
		name := sentinelName(node)
		list = append(list, process{
			name: name, dir: s.dataOf(name), ports: []int{b(6381) + node - 1}, readyLine: "+monitor master",
			command: []string{"redis-server", filepath.Join(s.dataOf(name), "sentinel.conf"), "--sentinel"},
		})
	}
	for node := 1; node <= kafkaNodes; node++ {
		list = append(list, s.kafkaProcess(kafkaName(node), kafkaName(node)+".properties", append([]string{"-Xms128m", "-Xmx384m"}, smallJVM...),
			s.kafkaPort(node, kafkaClientPort), s.kafkaPort(node, kafkaControllerPort), s.kafkaPort(node, kafkaBrokerPort), s.kafkaPort(node, kafkaDirectPort)))
	}
	for node := 1; node <= cassandraNodes; node++ {
		jvm := slices.Concat([]string{"-Xmx640M"}, smallJVM, settling)
		if node > 1 {
			// The other nodes wait this long for the ring.
			jvm = append(jvm, "-Dcassandra.ring_delay_ms=4000")
		}
		p := s.cassandraProcess(cassandraName(node), cassandraName(node)+".yaml", b(7199)+node-1, jvm, cassandraHost(node), b(9042), b(7000))
		p.wave = min(node-1, 1)
		list = append(list, p)
	}
	return list
}

const toxiproxyConf = "toxiproxy.json"

// portsOn127001 omits ports that are on another address.
func portsOn127001(address string) []int {
	text, found := strings.CutPrefix(address, "127.0.0.1:")
	var port int
	if _, err := fmt.Sscan(text, &port); !found || err != nil {
		return nil
	}
	return []int{port}
}

// program is this program, which the supervisor starts to serve the views.
func (s *system) program() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

// clusterFiles are the nodes' configuration files. Redis and the Sentinels rewrite their own files, so those
// are not included.
func (s *system) clusterFiles() []rendered {
	b := s.ports.backend
	var files []rendered
	voters := list(kafkaNodes, func(node int) string { return fmt.Sprintf("%d@%s", node, s.linkAddress(kafkaControllers(node))) })
	for node := 1; node <= kafkaNodes; node++ {
		at := func(listener int) string { return local(s.kafkaPort(node, listener)) }
		files = append(files, rendered{"kafka/server.properties", kafkaName(node) + ".properties", object{
			"Node": node, "Voters": voters, "Replicas": kafkaNodes, "InSync": kafkaNodes - 1, "DataDir": s.dataOf(kafkaName(node)),
			"Listeners": fmt.Sprintf("PLAINTEXT://%s,CONTROLLER://%s,BROKERS://%s,DIRECT://%s",
				at(kafkaClientPort), at(kafkaControllerPort), at(kafkaBrokerPort), at(kafkaDirectPort)),
			"Advertised": fmt.Sprintf("PLAINTEXT://%s,CONTROLLER://%s,BROKERS://%s,DIRECT://%s",
				s.linkAddress(kafkaClients(node)), s.linkAddress(kafkaControllers(node)), s.linkAddress(kafkaBrokers(node)), at(kafkaDirectPort)),
			"Protocols": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,BROKERS:PLAINTEXT,DIRECT:PLAINTEXT", "Inside": "BROKERS",
		}})
	}
	tokens := []string{"-9223372036854775808", "-3074457345618258603", "3074457345618258602"}
	for node := 1; node <= cassandraNodes; node++ {
		files = append(files, rendered{"cassandra/cassandra.yaml", cassandraName(node) + ".yaml", object{
			"Port": b(9042), "StoragePort": b(7000), "DataDir": s.dataOf(cassandraName(node)), "Host": cassandraHost(node),
			"Broadcast": cassandraLinkHost(node), "Seed": cassandraLinkHost(1), "Token": tokens[node-1], "Hints": true,
			"MemtableHeap": 128, "Memtable": 128,
		}})
	}
	return files
}

// configureCluster writes the configuration of toxiproxy, and that of Redis and the Sentinels if it does not
// exist yet.
func (s *system) configureCluster() error {
	text, err := s.toxiproxyConfig()
	if err != nil {
		return err
	}
	failures := []error{writeAtomically(s.confFile(toxiproxyConf), text)}
	port := func(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
	primary := port(s.linkAddress(redisPeers(1)))
	for node := 1; node <= redisNodes; node++ {
		values := object{
			"Port": port(s.redisAddress(node)), "DataDir": s.dataOf(redisName(node)), "Announce": port(s.linkAddress(redisPeers(node))),
			"PrimaryPort": primary,
		}
		if node == 1 {
			values["PrimaryPort"] = ""
		}
		failures = append(failures, s.writeOnce("redis.conf", filepath.Join(s.dataOf(redisName(node)), "redis.conf"), values))
	}
	for node := 1; node <= sentinelNodes; node++ {
		values := object{
			"Port": port(s.sentinelAddress(node)), "DataDir": s.dataOf(sentinelName(node)), "Name": redisPrimary, "Primary": primary,
			"Quorum": sentinelNodes/2 + 1,
		}
		failures = append(failures, s.writeOnce("sentinel.conf", filepath.Join(s.dataOf(sentinelName(node)), "sentinel.conf"), values))
	}
	return errors.Join(failures...)
}

func (s *system) writeOnce(source, path string, values object) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := s.render(source, values)
	if err != nil {
		return err
	}
	return writeAtomically(path, text)
}

// kafkaDirect is Kafka without links, for observers.
func (s *system) kafkaDirect() string {
	if !s.clustered() {
		return s.kafkaBrokers()
	}
	return list(kafkaNodes, func(node int) string { return local(s.kafkaPort(node, kafkaDirectPort)) })
}
