package fault

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// divergeFor is how long the primary accepts writes that its replica does not
// get.
const divergeFor = 1500 * time.Millisecond

func (i *Injector) redisKinds() []kind {
	return []kind{
		{name: "redis-flush", faults: func() ([]Fault, string) { return eachOf("redis"), "" }, start: i.flush, momentary: true},
		{name: "redis-failover-losing-writes", faults: func() ([]Fault, string) {
			if os.Getenv("FRONTROW_SENTINELS") == "" {
				return nil, "one Redis, no replica (FRONTROW_SENTINELS is not set)"
			}
			return eachOf("redis"), ""
		}, start: i.loseWrites},
	}
}

// flush empties Redis.
func (i *Injector) flush(ctx context.Context, _ Fault) (undo, error) {
	node, err := i.primary(ctx)
	if err != nil {
		return nil, err
	}
	client := node.client()
	defer func() { _ = client.Close() }()
	return nil, client.FlushAll(ctx).Err()
}

// loseWrites cuts the primary off from its replica and the Sentinels, but not
// from the services. It lets them write, and then suspends the primary, so that
// the replica, which lacks those writes, becomes the primary.
func (i *Injector) loseWrites(ctx context.Context, _ Fault) (undo, error) {
	node, err := i.primary(ctx)
	if err != nil {
		return nil, err
	}
	cut, err := i.disableLink(ctx, node.name+":peers")
	if err != nil {
		return cut, err
	}
	clock.Sleep(ctx, divergeFor)
	resume, err := i.pause(ctx, Fault{Target: node.name})
	heal := func(ctx context.Context) error {
		err := cut(ctx)
		if resume != nil {
			err = errors.Join(err, resume(ctx))
		}
		return errors.Join(err, poll(ctx, node.name+" is a replica", func(ctx context.Context) (bool, error) {
			role, err := node.role(ctx)
			return role == "slave", err
		}))
	}
	if err != nil {
		return heal, err
	}
	promoted, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return heal, poll(promoted, "the replica of "+node.name+" is the primary", func(ctx context.Context) (bool, error) {
		other, err := i.primary(ctx)
		return err == nil && other.name != node.name, err
	})
}

// redisNode is one Redis, reached directly.
type redisNode struct{ name, address string }

// primary returns the only Redis, or the one that reports itself as the
// primary.
func (i *Injector) primary(ctx context.Context) (redisNode, error) {
	list := os.Getenv("FRONTROW_REDIS_NODES")
	if list == "" {
		parsed, err := url.Parse(i.system.Redis)
		if err != nil {
			return redisNode{}, fmt.Errorf("FRONTROW_REDIS: %w", err)
		}
		return redisNode{"redis", parsed.Host}, nil
	}
	var failures error
	for at, address := range strings.Split(list, ",") {
		node := redisNode{fmt.Sprintf("redis-%d", at+1), address}
		role, err := node.role(ctx)
		if role == "master" {
			return node, nil
		}
		failures = errors.Join(failures, err)
	}
	return redisNode{}, errors.Join(errors.New("no Redis reports itself as the primary"), failures)
}

func (n redisNode) role(ctx context.Context) (string, error) {
	client := n.client()
	defer func() { _ = client.Close() }()
	answer, err := client.Do(ctx, "ROLE").Slice()
	if err != nil || len(answer) == 0 {
		return "", fmt.Errorf("role of %s: %w", n.name, err)
	}
	role, _ := answer[0].(string)
	return role, nil
}

func (n redisNode) client() *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: n.address, DialTimeout: time.Second, ReadTimeout: time.Second, MaxRetries: -1, DisableIdentity: true,
	})
}
