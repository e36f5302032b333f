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
	"strconv"
	"strings"
	"syscall"
	"text/template"
)

const postgresUser = "frontrow"

// databases of the services, made when the data folder is.
var databases = []string{"auth", "events", "payments"}

// backendProcesses are the backends in the order in which they are shown; their folders and configuration must exist.
func (s *stack) backendProcesses() []process {
	libs := func(name string) string { return filepath.Join(s.location(s.artifact(name)), "*") }
	conf := func(name string) string { return filepath.Join(s.root, "tools", "backends", name) }
	cassandra := s.location(s.artifact("cassandra"))
	b := s.ports.backend
	return []process{
		{
			name: "postgres", dir: s.postgresData(), ports: []int{b(5432)}, readyLine: "database system is ready to accept connections",
			command: s.asPostgres(filepath.Join(s.pg.bin, "postgres"), "-D", s.postgresData()),
			// "Fast": ends the sessions that are open instead of waiting for them.
			stopSignal: syscall.SIGINT, stopSeconds: 20,
		},
		{
			name: "redis", dir: s.dataOf("redis"), ports: []int{b(6379)}, readyLine: "Ready to accept connections",
			command: []string{"redis-server", s.confFile("redis.conf")}, stopSeconds: 10,
		},
		{
			name: "kafka", dir: s.dataOf("kafka"), ports: []int{b(9092), b(9093)}, readyLine: "Kafka Server started",
			command: []string{
				s.java, "-Xms128m", "-Xmx512m", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError",
				"-Dlog4j2.configurationFile=" + conf("kafka/log4j2.xml"),
				"-cp", libs("kafka"), "kafka.Kafka", s.confFile("server.properties"),
			},
			stopSeconds: 30,
		},
		{
			name: "cassandra", dir: s.dataOf("cassandra"), ports: []int{b(9042), b(7000), b(7199)}, readyLine: "Starting listening for CQL clients",
			command: []string{
				s.java, "@" + conf("cassandra/jvm.options"),
				"-javaagent:" + filepath.Join(cassandra, "jamm-0.4.0.jar"),
				"-Dcassandra.jmx.local.port=" + strconv.Itoa(b(7199)),
				"-Dcassandra.config=file://" + s.confFile("cassandra.yaml"),
				"-Dcassandra.storagedir=" + s.dataOf("cassandra"),
				"-Dlogback.configurationFile=file://" + conf("cassandra/logback.xml"),
				"-cp", libs("cassandra"), "org.apache.cassandra.service.CassandraDaemon",
			},
			stopSeconds: 30,
		},
		{
			name: "consul", dir: s.dataOf("consul"), ports: []int{b(8500), b(8300), b(8301)},
			// Answers only when there is a leader.
			readyPort: b(8500), readyPath: "/v1/catalog/nodes",
			command:     []string{filepath.Join(s.location(s.artifact("consul")), "consul"), "agent", "-config-file=" + s.confFile("consul.hcl")},
			stopSeconds: 10,
		},
	}
}

func (s *stack) artifact(name string) artifact {
	for _, a := range s.artifacts() {
		if a.name == name {
			return a
		}
	}
	panic("no artifact " + name)
}

func (s *stack) dataOf(backend string) string { return filepath.Join(s.dataDir, backend) }

// postgresData is beside the others' data, except for root, whose home the server's own account can't enter.
func (s *stack) postgresData() string {
	if s.pg.runAs == nil {
		return s.dataOf("postgres")
	}
	key := sha256.Sum256([]byte(s.dataDir))
	return fmt.Sprintf("/var/lib/frontrow/%s-%x/postgres", s.instance, key[:4])
}

func (s *stack) asPostgres(command ...string) []string {
	if s.pg.runAs == nil {
		return command
	}
	return append([]string{"setpriv", "--reuid=" + s.pg.runAs.Uid, "--regid=" + s.pg.runAs.Gid, "--clear-groups"}, command...)
}

// configureBackends writes the backends' configuration and, the first time, makes their data folders.
func (s *stack) configureBackends(ctx context.Context, keys secrets) error {
	for _, name := range []string{"redis", "kafka", "cassandra", "consul"} {
		if err := os.MkdirAll(s.dataOf(name), 0o700); err != nil {
			return err
		}
	}
	b := s.ports.backend
	for source, values := range map[string]map[string]any{
		"redis.conf":               {"Port": b(6379), "DataDir": s.dataOf("redis")},
		"kafka/server.properties":  {"Port": b(9092), "ControllerPort": b(9093), "DataDir": s.dataOf("kafka")},
		"cassandra/cassandra.yaml": {"Port": b(9042), "StoragePort": b(7000), "DataDir": s.dataOf("cassandra")},
		"consul.hcl":               {"Port": b(8500), "ServerPort": b(8300), "SerfPort": b(8301), "DataDir": s.dataOf("consul")},
	} {
		text, err := s.render(source, values)
		if err != nil {
			return err
		}
		if err := writeAtomically(s.confFile(filepath.Base(source)), text); err != nil {
			return err
		}
	}
	if err := s.formatKafka(ctx); err != nil {
		return fmt.Errorf("kafka's data folder could not be made: %w", err)
	}
	if err := s.initPostgres(ctx, keys); err != nil {
		return fmt.Errorf("postgres' data folder could not be made: %w", err)
	}
	return nil
}

func (s *stack) render(source string, values map[string]any) ([]byte, error) {
	parsed, err := template.ParseFiles(filepath.Join(s.root, "tools", "backends", source))
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	err = parsed.Option("missingkey=error").Execute(&text, values)
	return []byte(text.String()), err
}

func (s *stack) formatKafka(ctx context.Context) error {
	if isFile(filepath.Join(s.dataOf("kafka"), "meta.properties")) {
		return nil
	}
	const clusterID = "ZnJvbnRyb3cta2Fma2EtMQ"
	return runQuietly(exec.CommandContext(ctx, s.java, "-Xmx256m", "-cp", filepath.Join(s.location(s.artifact("kafka")), "*"), //nolint:gosec // our own
		"kafka.tools.StorageTool", "format", "-t", clusterID, "-c", s.confFile("server.properties")), s.root)
}

// initPostgres makes the data folder beside its place and moves it there when its databases exist.
func (s *stack) initPostgres(ctx context.Context, keys secrets) error {
	data := s.postgresData()
	if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
		if err := s.makePostgresData(ctx, data, keys); err != nil {
			return err
		}
	}
	text, err := s.render("postgresql.conf", map[string]any{"Port": s.ports.backend(5432)})
	if err != nil {
		return err
	}
	conf := filepath.Join(data, "postgresql.conf")
	if err := writeAtomically(conf, text); err != nil {
		return err
	}
	return s.giveToPostgres(conf)
}

func (s *stack) makePostgresData(ctx context.Context, data string, keys secrets) error {
	partial := data + ".partial"
	if err := errors.Join(os.RemoveAll(partial), os.MkdirAll(partial, 0o700)); err != nil {
		return err
	}
	if s.pg.runAs != nil {
		// Those above the folder must let the server's account through; they hold nothing else.
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

func (s *stack) runWithInput(ctx context.Context, input string, command []string) error {
	c := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // our own list
	c.Stdin = strings.NewReader(input)
	return runQuietly(c, "/")
}

func (s *stack) giveToPostgres(path string) error {
	if s.pg.runAs == nil {
		return nil
	}
	uid, _ := strconv.Atoi(s.pg.runAs.Uid)
	gid, _ := strconv.Atoi(s.pg.runAs.Gid)
	return os.Chown(path, uid, gid)
}
