package redisclient_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// server is a fake Redis or Sentinel.
type server struct {
	addr string
	cmd  *exec.Cmd
}

func startServer(t *testing.T, conf string, args ...string) server {
	t.Helper()
	dir, addr := t.TempDir(), testkit.FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	file := filepath.Join(dir, "redis.conf")
	text := fmt.Sprintf("bind 127.0.0.1\nport %s\ndir %s\nsave \"\"\nrepl-diskless-sync-delay 0\n%s", port, dir, conf)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-server", append([]string{file}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s := server{addr, cmd}
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer func() { _ = client.Close() }()
	testkit.Eventually(t, addr+" answers", func() bool { return client.Ping(t.Context()).Err() == nil })
	return s
}

// cluster is a primary with a replica, and two Sentinels, one of which
// suffices.
func cluster(t *testing.T) (primary, replica server, sentinels [2]server, address string) {
	t.Helper()
	primary = startServer(t, "")
	host, port, _ := net.SplitHostPort(primary.addr)
	replica = startServer(t, "replicaof "+host+" "+port)
	query := url.Values{"master_name": {"frontrow"}}
	for i := range sentinels {
		sentinels[i] = startServer(t, fmt.Sprintf(
			"sentinel monitor frontrow %s %s 1\nsentinel down-after-milliseconds frontrow 500\nsentinel failover-timeout frontrow 2000\n",
			host, port), "--sentinel")
		if i > 0 {
			query.Add("addr", sentinels[i].addr)
		}
	}
	sentinel := redis.NewSentinelClient(&redis.Options{Addr: sentinels[0].addr})
	defer func() { _ = sentinel.Close() }()
	testkit.Eventually(t, "the Sentinels know the replica and each other", func() bool {
		replicas, err := sentinel.Replicas(t.Context(), "frontrow").Result()
		others, otherErr := sentinel.Sentinels(t.Context(), "frontrow").Result()
		return err == nil && otherErr == nil && len(replicas) == 1 && replicas[0]["master-link-status"] == "ok" && len(others) == 1
	})
	return primary, replica, sentinels, (&url.URL{Scheme: "redis", Host: sentinels[0].addr, Path: "/0", RawQuery: query.Encode()}).String()
}

func newClient(t *testing.T, address string) *redis.Client {
	t.Helper()
	client, err := redisclient.New(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestClientFollowsThePrimary(t *testing.T) {
	primary, _, _, address := cluster(t)
	client := newClient(t, address)
	if err := client.Set(t.Context(), "seat", "1-1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := primary.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the client writes to the replica that took over", func() bool {
		return client.Set(t.Context(), "seat", "1-2", 0).Err() == nil
	})
}

func TestClientFollowsAPrimaryThatHangs(t *testing.T) {
	primary, replica, _, address := cluster(t)
	client := newClient(t, address)
	if err := client.Set(t.Context(), "seat", "1-1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := primary.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	direct := newClient(t, "redis://"+replica.addr)
	testkit.Eventually(t, "the client writes to the replica that took over", func() bool {
		return client.Set(t.Context(), "seat", "1-2", 0).Err() == nil && direct.Get(t.Context(), "seat").Val() == "1-2"
	})
}

// Each client asks one of the Sentinels; clients that ask the hung one must
// switch.
func TestClientLeavesASentinelThatHangs(t *testing.T) {
	_, _, sentinels, address := cluster(t)
	clients := make([]*redis.Client, 12)
	for i := range clients {
		clients[i] = newClient(t, address)
		if err := clients[i].Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := sentinels[0].cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for _, client := range clients {
		testkit.Eventually(t, "a new connection is made", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			pooled, another := client.Conn(), client.Conn()
			defer func() { _, _ = pooled.Close(), another.Close() }()
			return pooled.Ping(ctx).Err() == nil && another.Ping(ctx).Err() == nil
		})
	}
}

func TestInvalidURLIsRefused(t *testing.T) {
	for _, address := range []string{"http://127.0.0.1:1", "redis://%zz", "redis://127.0.0.1:1/0?master_name=x&addr=nowhere"} {
		if _, err := redisclient.New(address); err == nil {
			t.Errorf("%s was taken", address)
		}
	}
}
