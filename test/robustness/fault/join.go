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

// joinWithin bounds how long a new node may take to join.
const joinWithin = 3 * time.Minute

// join has one more node of Cassandra join the ring and take over its part of
// the data; then it is decommissioned.
func (i *Injector) join(ctx context.Context, _ Fault) (end, error) {
	// It streams from all nodes, so none of them may be away.
	free, err := i.held.take(ctx, i.ring()...)
	if err != nil {
		return nil, err
	}
	// The second node is told how to look for a ring, the first is not.
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
		node.process.Process.Kill() //nolint:errcheck // it may have ended
		<-ended
		return errors.Join(failed, os.RemoveAll(node.dir))
	}
	if err := node.process.Start(); err != nil {
		free()
		return nil, err
	}
	go func() { ended <- node.process.Wait() }()
	joining, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	err = until(joining, "the new node of Cassandra has joined", func(context.Context) (bool, error) {
		if node.process.Process.Signal(syscall.Signal(0)) != nil {
			cancel()
			return false, errors.New("it has ended")
		}
		text, err := os.ReadFile(node.log)
		return strings.Contains(string(text), "Starting listening for CQL clients"), err
	})
	joined = err == nil
	return leave, err
}

// newNode is a node of Cassandra that is about to join.
type newNode struct {
	dir, log string
	command  []string
	process  *exec.Cmd
}

// prepareJoin writes the configuration of a node that is the given one of the
// ring, from the command line of another.
func prepareJoin(like []string, number int) (*newNode, error) {
	conf, data := option(like, "-Dcassandra.config=file://"), option(like, "-Dcassandra.storagedir=")
	port, err := strconv.Atoi(option(like, "-Dcassandra.jmx.local.port="))
	if conf == "" || data == "" || err != nil {
		return nil, errors.New("a node's command line names no configuration, data or port for JMX")
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
			// The second node's port is the first one's plus one, and so on.
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

// joiningConf makes of a node's configuration that of a new one, which has an
// address of its own, no link, and half of what one of the others had.
func joiningConf(text string, number int) string {
	text = addressLine.ReplaceAllString(text, fmt.Sprintf("$1 127.0.0.%d", number))
	text = tokenLine.ReplaceAllString(text, "initial_token: 0")
	return strings.Replace(text, "auto_bootstrap: false", "auto_bootstrap: true", 1)
}
