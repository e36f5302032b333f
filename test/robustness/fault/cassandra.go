package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// nodetoolTimeout limits one nodetool run.
const nodetoolTimeout = 90 * time.Second

// nodes returns the names of Cassandra's nodes.
func (i *Injector) nodes() []string {
	return slices.DeleteFunc(slices.Clone(i.names), func(name string) bool { return !strings.HasPrefix(name, "cassandra") })
}

func (i *Injector) cassandraKinds() []kind {
	each := func() ([]Fault, string) {
		return eachOf(i.nodes()...), "no Cassandra node among the processes"
	}
	keyspace := i.system.Keyspace
	return []kind{
		{name: "cassandra-flush", faults: each, momentary: true, start: func(ctx context.Context, f Fault) (undo, error) {
			return i.nodetool(ctx, f.Target, nil, "flush", keyspace)
		}},
		{name: "cassandra-compaction", faults: each, momentary: true, start: func(ctx context.Context, f Fault) (undo, error) {
			return i.nodetool(ctx, f.Target, nil, "compact", keyspace)
		}},
		{name: "paxos-repair", faults: func() ([]Fault, string) {
			if len(i.nodes()) < 2 {
				return nil, "there is only one Cassandra node"
			}
			return each()
		}, momentary: true, start: func(ctx context.Context, f Fault) (undo, error) {
			// It queries all nodes, so none of them may be down.
			return i.nodetool(ctx, f.Target, i.ring(), "repair", "--paxos-only", keyspace)
		}},
		{name: "cassandra-join", faults: func() ([]Fault, string) {
			if len(i.nodes()) < 2 {
				return nil, "there is only one Cassandra node"
			}
			return eachOf("cassandra"), ""
		}, momentary: true, start: i.join},
	}
}

// ring returns all nodes and the links between them.
func (i *Injector) ring() []string {
	ring := i.nodes()
	if i.toxiproxy != nil {
		for _, link := range i.toxiproxy.names {
			if strings.HasPrefix(link, "cassandra") && strings.HasSuffix(link, ":peers") {
				ring = append(ring, link)
			}
		}
	}
	return ring
}

// nodetool runs a command on a node while no other fault affects the node or
// others.
func (i *Injector) nodetool(ctx context.Context, node string, others []string, arguments ...string) (undo, error) {
	targets := slices.Compact(slices.Sorted(slices.Values(append([]string{node}, others...))))
	free, err := i.locks.lock(ctx, targets...)
	if err != nil {
		return nil, err
	}
	defer free()
	line, err := i.commandLine(ctx, node)
	if err != nil {
		return nil, err
	}
	return nil, nodetool(ctx, line, arguments...)
}

// commandLine returns the command line of a running node.
func (i *Injector) commandLine(ctx context.Context, node string) ([]string, error) {
	states, err := i.processes.States(ctx)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(states[node].PID), "cmdline"))
	if err != nil {
		return nil, fmt.Errorf("command line of %s: %w", node, err)
	}
	return strings.Split(strings.TrimRight(string(text), "\x00"), "\x00"), nil
}

// nodetool runs nodetool for the node with a command line.
func nodetool(ctx context.Context, node []string, arguments ...string) error {
	command, err := nodetoolCommand(node)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, nodetoolTimeout)
	defer cancel()
	command = append(command, arguments...)
	if output, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil { //nolint:gosec // as the node itself was started
		return fmt.Errorf("nodetool %s: %w\n%s", strings.Join(arguments, " "), err, output)
	}
	return nil
}

// nodetoolCommand derives the nodetool command for a node from its command
// line: the same Java with the same class path.
func nodetoolCommand(node []string) ([]string, error) {
	command := []string{node[0]}
	var classes, port string
	for n, argument := range node {
		if strings.HasPrefix(argument, "@") {
			command = append(command, argument)
		}
		if argument == "-cp" && n+1 < len(node) {
			classes = node[n+1]
		}
		if value, found := strings.CutPrefix(argument, "-Dcassandra.jmx.local.port="); found {
			port = value
		}
	}
	if classes == "" || port == "" {
		return nil, errors.New("command line has no class path or no JMX port")
	}
	return append(command, "-Xms16m", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-cp", classes, "org.apache.cassandra.tools.NodeTool", "-h", "127.0.0.1", "-p", port), nil
}
