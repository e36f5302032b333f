package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/template"
)

const (
	postgresUser = "frontrow"
	consulName   = "consul"
)

// databases of the services, created together with the data folder.
var databases = []string{"auth", "events", "notifications", "payments", "psp"}

// backendProcesses are the backends in display order. Their folders and configuration must exist.
func (s *system) backendProcesses() []process {
	if s.clustered() {
		return s.clusterBackends()
	}
	b := s.ports.backend
	return []process{
		s.postgresProcess(),
		s.redisProcess("redis", b(6379), s.confFile("redis.conf")),
		s.kafkaProcess("kafka", "server.properties", []string{"-Xms128m", "-Xmx512m"}, b(9092), b(9093)),
		s.cassandraProcess("cassandra", "cassandra.yaml", b(7199), []string{"-XX:+UseParallelGC", s.singleCassandra().heap}, "", b(9042), b(7000)),
		s.consulProcess(),
		s.mailpitProcess(),
	}
}

func (s *system) postgresProcess() process {
	return process{
		name: "postgres", dir: s.postgresData(), ports: []int{s.ports.backend(5432)}, readyLine: "database system is ready to accept connections",
		command: s.asPostgres(filepath.Join(s.pg.bin, "postgres"), "-D", s.postgresData()),
		// "Fast" shutdown: ends open sessions instead of waiting for them.
		stopSignal: syscall.SIGINT, stopSeconds: 20,
	}
}

func (s *system) redisProcess(name string, port int, conf string) process {
	return process{
		name: name, dir: s.dataOf(name), ports: []int{port}, readyLine: "Ready to accept connections",
		command: []string{"redis-server", conf}, stopSeconds: 10,
	}
}

func (s *system) kafkaProcess(name, conf string, memory []string, ports ...int) process {
	jvm := slices.Concat(memory, []string{"-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError"})
	return process{
		name: name, dir: s.dataOf(name), ports: ports, readyLine: "Kafka Server started",
		command: slices.Concat([]string{s.java}, jvm, []string{
			"-Dlog4j2.configurationFile=" + s.described("kafka/log4j2.xml"), "-cp", s.libs("kafka"), "kafka.Kafka", s.confFile(conf),
		}),
		stopSeconds: 30,
	}
}

// cassandraProcess adds jvm to the options that all nodes share; an empty host is 127.0.0.1.
func (s *system) cassandraProcess(name, conf string, jmx int, jvm []string, host string, ports ...int) process {
	options := append([]string{s.java, "@" + s.described("cassandra/jvm.options")}, jvm...)
	return process{
		name: name, dir: s.dataOf(name), host: host, ports: ports, readyLine: "Starting listening for CQL clients",
		command: append(options,
			"-javaagent:"+filepath.Join(s.location(s.artifact("cassandra")), "jamm-0.4.0.jar"),
			"-Dcassandra.jmx.local.port="+strconv.Itoa(jmx),
			"-Dcassandra.config=file://"+s.confFile(conf),
			"-Dcassandra.storagedir="+s.dataOf(name),
			"-Dlogback.configurationFile=file://"+s.described("cassandra/logback.xml"),
			"-cp", s.libs("cassandra"), "org.apache.cassandra.service.CassandraDaemon"),
		stopSeconds: 30,
	}
}

// cassandraMemory limits a node's memory; memtables are in MiB.
type cassandraMemory struct {
	heap                   string
	memtableHeap, memtable int
}

// singleCassandra uses little memory, except for benchmarks: there it has at least what a dedicated node
// would have, so that it does not flush its tables every few seconds.
func (s *system) singleCassandra() cassandraMemory {
	if s.instance == "bench" {
		return cassandraMemory{"-Xmx2G", 512, 1024}
	}
	return cassandraMemory{"-Xmx1G", 128, 256}
}

func (s *system) consulProcess() process {
	b := s.ports.backend
	return process{
		name: consulName, dir: s.dataOf(consulName), ports: []int{b(8500), b(8300), b(8301)},
		// Answers only once there is a leader.
		readyPort: b(8500), readyPath: "/v1/catalog/nodes",
		command:     []string{filepath.Join(s.location(s.artifact(consulName)), consulName), "agent", "-config-file=" + s.confFile("consul.hcl")},
		stopSeconds: 10,
	}
}

// libs is the class path of a Java backend.
func (s *system) libs(name string) string { return filepath.Join(s.location(s.artifact(name)), "*") }

// described returns the path of a file in tools/run/backends.
func (s *system) described(file string) string {
	return filepath.Join(s.root, "tools", "run", "backends", file)
}

func (s *system) artifact(name string) artifact {
	for _, a := range s.artifacts() {
		if a.name == name {
			return a
		}
	}
	panic("no artifact " + name)
}

func (s *system) dataOf(backend string) string { return filepath.Join(s.dataDir, backend) }

// postgresData is beside the other backends' data, except for root, whose home the server's account can't
// enter.
func (s *system) postgresData() string {
	if s.pg.runAs == nil {
		return s.dataOf("postgres")
	}
	key := sha256.Sum256([]byte(s.dataDir))
	return fmt.Sprintf("/var/lib/frontrow/%s-%x/postgres", s.instance, key[:4])
}

func (s *system) asPostgres(command ...string) []string {
	if s.pg.runAs == nil {
		return command
	}
	return append([]string{"setpriv", "--reuid=" + s.pg.runAs.Uid, "--regid=" + s.pg.runAs.Gid, "--clear-groups"}, command...)
}

// rendered is a configuration file: its template, its name and the values.
type rendered struct {
	source, name string
	values       object
}

// configureBackends writes the backends' configuration and, the first time, creates their data folders.
func (s *system) configureBackends(ctx context.Context, keys secrets) error {
	files := s.backendFiles()
	for _, p := range s.backendProcesses() {
		if p.name == "postgres" {
			continue // its folder is created below
		}
		if err := os.MkdirAll(s.dataOf(p.name), 0o700); err != nil {
			return err
		}
	}
	for _, f := range files {
		text, err := s.render(f.source, f.values)
		if err != nil {
			return err
		}
		if err := writeAtomically(s.confFile(f.name), text); err != nil {
			return err
		}
	}
	if s.clustered() {
		if err := s.configureCluster(); err != nil {
			return err
		}
	}
	if err := s.formatKafka(ctx); err != nil {
		return fmt.Errorf("create kafka's data folder: %w", err)
	}
	if err := s.initPostgres(ctx, keys); err != nil {
		return fmt.Errorf("create postgres's data folder: %w", err)
	}
	return nil
}

func (s *system) backendFiles() []rendered {
	b := s.ports.backend
	consul := rendered{"consul.hcl", "consul.hcl", object{
		"Port": b(8500), "ServerPort": b(8300), "SerfPort": b(8301), "DataDir": s.dataOf("consul"),
	}}
	if s.clustered() {
		return append(s.clusterFiles(), consul)
	}
	return []rendered{
		{"redis.conf", "redis.conf", object{"Port": b(6379), "DataDir": s.dataOf("redis"), "Announce": ""}},
		{"kafka/server.properties", "server.properties", object{
			"Node": 1, "Voters": "1@" + local(b(9093)), "Replicas": 1, "InSync": 1, "DataDir": s.dataOf("kafka"),
			"Listeners":  "PLAINTEXT://" + local(b(9092)) + ",CONTROLLER://" + local(b(9093)),
			"Advertised": "PLAINTEXT://" + local(b(9092)), "Protocols": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT", "Inside": "PLAINTEXT",
		}},
		{"cassandra/cassandra.yaml", "cassandra.yaml", object{
			"Port": b(9042), "StoragePort": b(7000), "DataDir": s.dataOf("cassandra"), "Host": "127.0.0.1", "Broadcast": "127.0.0.1",
			"Seed": "127.0.0.1", "Token": "", "Hints": false,
			"MemtableHeap": s.singleCassandra().memtableHeap, "Memtable": s.singleCassandra().memtable,
		}},
		consul,
	}
}

func (s *system) render(source string, values object) ([]byte, error) {
	parsed, err := template.ParseFiles(filepath.Join(s.root, "tools", "run", "backends", source))
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	err = parsed.Option("missingkey=error").Execute(&text, values)
	return []byte(text.String()), err
}

// formatKafka creates the data folders of the nodes that have none.
func (s *system) formatKafka(ctx context.Context) error {
	nodes := map[string]string{"kafka": "server.properties"} // configuration by process
	if s.clustered() {
		nodes = map[string]string{}
		for node := 1; node <= kafkaNodes; node++ {
			nodes[kafkaName(node)] = kafkaName(node) + ".properties"
		}
	}
	failures := make(chan error, len(nodes))
	for name, conf := range nodes {
		go func() {
			if isFile(filepath.Join(s.dataOf(name), "meta.properties")) {
				failures <- nil
				return
			}
			const clusterID = "ZnJvbnRyb3cta2Fma2EtMQ"
			failures <- runQuietly(exec.CommandContext(ctx, s.java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", s.libs("kafka"), //nolint:gosec // our own
				"kafka.tools.StorageTool", "format", "-t", clusterID, "-c", s.confFile(conf)), s.root)
		}()
	}
	var all error
	for range nodes {
		all = errors.Join(all, <-failures)
	}
	return all
}

// initPostgres builds the data folder in a temporary place and moves it once its databases exist.
func (s *system) initPostgres(ctx context.Context, keys secrets) error {
	data := s.postgresData()
	if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
		if err := s.makePostgresData(ctx, data, keys); err != nil {
			return err
		}
	}
	text, err := s.render("postgresql.conf", object{"Port": s.ports.backend(5432)})
	if err != nil {
		return err
	}
	conf := filepath.Join(data, "postgresql.conf")
	if err := writeAtomically(conf, text); err != nil {
		return err
	}
	return s.giveToPostgres(conf)
}

func (s *system) makePostgresData(ctx context.Context, data string, keys secrets) error {
	partial := data + ".partial"
	if err := errors.Join(os.RemoveAll(partial), os.MkdirAll(partial, 0o700)); err != nil {
		return err
	}
	if s.pg.runAs != nil {
		// The parent folders must let the server's account through; they contain nothing else.
		parent := filepath.Dir(data)
		for _, dir := range []string{filepath.Dir(parent), parent} {
			if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // see above
				return err
			}
		}
	}
	if err := s.giveToPostgres(partial); err != nil {
		return err
	}
	initdb := s.asPostgres(filepath.Join(s.pg.bin, "initdb"), "-D", partial, "-U", postgresUser,
		"--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	if err := s.runWithInput(ctx, "", initdb); err != nil {
		return err
	}
	statements := fmt.Sprintf("ALTER ROLE %s PASSWORD '%s';\n", postgresUser, keys.PostgresPassword)
	for _, name := range databases {
		statements += "CREATE DATABASE " + name + ";\n"
	}
	single := s.asPostgres(filepath.Join(s.pg.bin, "postgres"), "--single", "-D", partial, "postgres")
	if err := s.runWithInput(ctx, statements, single); err != nil {
		return err
	}
	access := filepath.Join(partial, "pg_hba.conf")
	if err := writeAtomically(access, []byte("host all all 127.0.0.1/32 scram-sha-256\n")); err != nil {
		return err
	}
	if err := s.giveToPostgres(access); err != nil {
		return err
	}
	return os.Rename(partial, data)
}

func (s *system) runWithInput(ctx context.Context, input string, command []string) error {
	c := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // our own list
	c.Stdin = strings.NewReader(input)
	return runQuietly(c, "/")
}

func (s *system) giveToPostgres(path string) error {
	if s.pg.runAs == nil {
		return nil
	}
	uid, _ := strconv.Atoi(s.pg.runAs.Uid)
	gid, _ := strconv.Atoi(s.pg.runAs.Gid)
	return os.Chown(path, uid, gid)
}
