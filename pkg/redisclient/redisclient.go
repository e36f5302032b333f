// Package redisclient makes the clients with which the services reach Redis:
// one that stands alone, or the primary that Sentinels know.
package redisclient

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long dialling, reading, writing and waiting for a free
// connection may take: a request that waits for a dead Redis helps nobody.
const patience = 250 * time.Millisecond

const (
	// poolSize is for a burst: each request that waits for a connection is late.
	poolSize = 256
	// protocol 2 has no messages of the server's own accord, for which every
	// answer would be searched.
	protocol = 2
)

// findPatience is how long a new connection may take when a Sentinel is asked
// for the primary first. go-redis asks the Sentinel it knows, twice patience
// long, and looks for another only when that has failed before the time is
// over: with patience alone it would ask one that hangs for ever.
const findPatience = 3 * patience

// New returns a client for a redis:// URL. With master_name in its query, the
// URL's host and each addr in the query are Sentinels, and the client follows
// the primary they name: redis://host:26379/0?master_name=frontrow&addr=host2:26379.
//
// The client gives up early, and tries once more. Nothing is connected yet.
func New(address string) (*redis.Client, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("redis url: %w", err)
	}
	if parsed.Query().Has("master_name") {
		return newFailover(address)
	}
	opts, err := redis.ParseURL(address)
	if err != nil {
		return nil, fmt.Errorf("redis url: %w", err)
	}
	opts.ContextTimeoutEnabled = true
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = patience, patience, patience, patience
	opts.DialerRetries, opts.MaxRetries = 1, 1
	opts.MinRetryBackoff, opts.MaxRetryBackoff = time.Millisecond, 10*time.Millisecond
	opts.PoolSize = poolSize
	opts.DisableIdentity, opts.Protocol = true, protocol
	return redis.NewClient(opts), nil
}

func newFailover(address string) (*redis.Client, error) {
	opts, err := redis.ParseFailoverURL(address)
	if err != nil {
		return nil, fmt.Errorf("redis url: %w", err)
	}
	opts.ContextTimeoutEnabled = true
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = findPatience, patience, patience, patience
	opts.DialerRetries, opts.MaxRetries = 1, 1
	opts.MinRetryBackoff, opts.MaxRetryBackoff = time.Millisecond, 10*time.Millisecond
	opts.PoolSize = poolSize
	opts.DisableIdentity, opts.Protocol = true, protocol
	return redis.NewFailoverClient(opts), nil
}

func init() { redis.SetLogger(quiet{}) }

// quiet keeps the client's own messages out of the output: each failure is
// returned as an error as well.
type quiet struct{}

// Printf logs at the level debug.
func (quiet) Printf(ctx context.Context, format string, v ...any) {
	slog.DebugContext(ctx, fmt.Sprintf(format, v...))
}
