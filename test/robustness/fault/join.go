package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// joinTimeout limits how long a new node may take to join.
const joinTimeout = 3 * time.Minute

// join makes one more Cassandra node join the ring and take over its part of
// the data; then the node is decommissioned.
func (i *Injector) join(ctx context.Context, _ Fault) (undo, error) {
	// It streams from all nodes, so none of them may be down.
	free, err := i.locks.lock(ctx, i.ring()...)
	if err != nil {
		return nil, err
	}
	// Copy the second node, which is configured to look for a ring; the first
	// is not.
	like, err := i.commandLine(ctx, i.nodes()[1])
	if err != nil {
		free()
		return nil, err
	}
	node, err := prepareJoin(like, len(i.nodes())+1)
	if err != nil {
		free()
		return nil, err
	}
	ended := make(chan error, 1)
	joined := false
	leave := func(ctx context.Context) error {
		defer free()
		var failed error
		if joined {
			failed = nodetool(ctx, node.command, "decommission")
		}
		node.process.Process.Kill() //nolint:errcheck // it may have exited
		<-ended
		return errors.Join(failed, os.RemoveAll(node.dir))
	}
	if err := node.process.Start(); err != nil {
		free()
		return nil, err
	}
	go func() { ended <- node.process.Wait() }()
	joining, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	err = poll(joining, "the new node of Cassandra has joined", func(context.Context) (bool, error) {
		if node.process.Process.Signal(syscall.Signal(0)) != nil {
			cancel()
			return false, errors.New("process exited")
		}
		text, err := os.ReadFile(node.log)
		return strings.Contains(string(text), "Starting listening for CQL clients"), err
	})
	joined = err == nil
	return leave, err
}

// newNode is a Cassandra node that is about to join.
type newNode struct {
	dir, log string
	command  []string
	process  *exec.Cmd
}

// prepareJoin writes the configuration of the ring's node with the given
// number, based on the command line of another.
func prepareJoin(like []string, number int) (*newNode, error) {
	conf, data := option(like, "-Dcassandra.config=file://"), option(like, "-Dcassandra.storagedir=")
	port, err := strconv.Atoi(option(like, "-Dcassandra.jmx.local.port="))
	if conf == "" || data == "" || err != nil {
		return nil, errors.New("command line of node has no configuration, data or JMX port")
	}
	n := &newNode{dir: filepath.Join(filepath.Dir(data), fmt.Sprintf("cassandra-%d", number))}
	n.log = filepath.Join(n.dir, "log")
	text, err := os.ReadFile(conf)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.RemoveAll(n.dir), os.MkdirAll(n.dir, 0o700)); err != nil {
		return nil, err
	}
	path := filepath.Join(n.dir, "cassandra.yaml")
	joining := joiningConf(strings.ReplaceAll(string(text), data+"/", n.dir+"/"), number)
	if err := os.WriteFile(path, []byte(joining), 0o600); err != nil {
		return nil, err
	}
	for _, argument := range like {
		switch name, _, _ := strings.Cut(argument, "="); name {
		case "-Dcassandra.config":
			argument = name + "=file://" + path
		case "-Dcassandra.storagedir":
			argument = name + "=" + n.dir
		case "-Dcassandra.jmx.local.port":
			// Each node's port is one higher than the previous node's.
			argument = name + "=" + strconv.Itoa(port-2+number)
		}
		n.command = append(n.command, argument)
	}
	log, err := os.Create(n.log)
	if err != nil {
		return nil, err
	}
	n.process = exec.Command(n.command[0], n.command[1:]...) //nolint:gosec,noctx // like the other node; it must end by decommission
	n.process.Stdout, n.process.Stderr = log, log
	return n, nil
}

func option(command []string, prefix string) string {
	for _, argument := range command {
		if value, found := strings.CutPrefix(argument, prefix); found {
			return value
		}
	}
	return ""
}

var (
	addressLine = regexp.MustCompile(`(?m)^((?:listen|broadcast|rpc|broadcast_rpc)_address:).*$`)
	tokenLine   = regexp.MustCompile(`(?m)^initial_token:.*$`)
)

// joiningConf derives the configuration of a new node from an existing one: its
// own address, no link, and half of another node's token range.
func joiningConf(text string, number int) string {
	text = addressLine.ReplaceAllString(text, fmt.Sprintf("$1 127.0.0.%d", number))
	text = tokenLine.ReplaceAllString(text, "initial_token: 0")
	return strings.Replace(text, "auto_bootstrap: false", "auto_bootstrap: true", 1)
}
