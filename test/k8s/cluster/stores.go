package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// Forward forwards a port of a pod or a service to 127.0.0.1 until ctx ends. It
// reconnects when the connection is lost.
func (c *Cluster) Forward(ctx context.Context, target string, port int) (local int, err error) {
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	local = free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return 0, err
	}
	c.forwards.Go(func() {
		for ctx.Err() == nil {
			ports := fmt.Sprintf("%d:%d", local, port)
			cmd := exec.CommandContext(ctx, "kubectl", "-n", c.Namespace, "port-forward", "--address", "127.0.0.1", target, ports) //nolint:gosec // what the caller wants forwarded
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
			// The command ends with its pod, and is started again.
			_ = cmd.Run()
			clock.Sleep(ctx, 500*time.Millisecond)
		}
	})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(local))
	return local, Until(ctx, time.Minute, "a port of "+target, func(ctx context.Context) (bool, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			err = conn.Close()
		}
		return err == nil, err
	})
}

// Environment forwards the ports of the stores that `test/demo` and `test/load`
// inspect, and returns the variables with their addresses. The backends are
// those that the chart frontrow-data runs without operators, released as data,
// with their passwords in a Secret; the services are released as frontrow and
// answer at url.
func (c *Cluster) Environment(ctx context.Context, secret, url string) ([]string, error) {
	backends, err := c.Secret(ctx, secret)
	if err != nil {
		return nil, err
	}
	keys, err := c.Secret(ctx, "frontrow-keys")
	if err != nil {
		return nil, err
	}
	primary, err := c.redisPrimary(ctx)
	if err != nil {
		return nil, err
	}
	ports := map[string]int{}
	for _, store := range []struct {
		name, target string
		port         int
	}{
		{"postgres", "pod/data-postgres-0", 5432},
		{"redis", "pod/" + primary, 6379},
		{"cassandra", "pod/data-cassandra-0", 9042},
		{"mail", "service/data-mailpit", 8025},
	} {
		if ports[store.name], err = c.Forward(ctx, store.target, store.port); err != nil {
			return nil, err
		}
	}
	// Behind a forwarded port no certificate has the right name.
	postgres, redis, cassandra := "sslmode=disable", "redis://:%s@127.0.0.1:%d/0", ""
	if strings.HasPrefix(backends["redis-url"], "rediss:") {
		postgres, redis, cassandra = "sslmode=require", "rediss://:%s@127.0.0.1:%d/0?skip_verify=true", "?tls"
	}
	return []string{
		"FRONTROW_URL=" + strings.TrimSuffix(url, "/") + "/api/v1",
		"FRONTROW_ADMIN_EMAIL=admin@frontrow.example", "FRONTROW_ADMIN_PASSWORD=" + keys["admin-password"],
		fmt.Sprintf("FRONTROW_POSTGRES=postgres://postgres:%s@127.0.0.1:%d/postgres?%s",
			backends["postgres-password"], ports["postgres"], postgres),
		fmt.Sprintf("FRONTROW_REDIS="+redis, backends["redis-password"], ports["redis"]),
		fmt.Sprintf("FRONTROW_CASSANDRA=booking:%s@127.0.0.1:%d%s",
			backends["cassandra-password"], ports["cassandra"], cassandra),
		"FRONTROW_CASSANDRA_KEYSPACE=bookings",
		fmt.Sprintf("FRONTROW_MAIL_URL=http://127.0.0.1:%d", ports["mail"]),
		// Nothing that runs outside the cluster reads these.
		"FRONTROW_KAFKA=none", "FRONTROW_CONSUL=none",
	}, nil
}

func (c *Cluster) redisPrimary(ctx context.Context) (string, error) {
	pods, err := c.Pods(ctx, "app.kubernetes.io/name=redis")
	if err != nil {
		return "", err
	}
	for i := range pods {
		name := pods[i].Metadata.Name
		if role, err := c.Kubectl(ctx, "exec", name, "--", "sh", "-c", "redis-cli $TLS role"); err == nil && strings.HasPrefix(role, "master") {
			return name, nil
		}
	}
	return "", errors.New("no Redis pod is the primary")
}
