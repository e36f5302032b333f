// Package redisclient creates Redis clients for the services: of a standalone
// server, or of the primary behind Sentinels.
package redisclient

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
)

// ioTimeout is the timeout for dialling, reading, writing and waiting for a free
// connection. A request that waits for a dead Redis helps nobody.
const ioTimeout = 250 * time.Millisecond

const (
	// poolSize allows for a burst: each request that waits for a connection is
	// late.
	poolSize = 256
	// protocol 2 has no push messages, so the client need not check every reply
	// for them.
	protocol = 2
)

// failoverTimeout is the timeout for a new connection when a Sentinel is first
// asked for the primary. go-redis asks the Sentinel it knows, for up to twice
// ioTimeout, and tries another only if that fails before the deadline. With a
// deadline of ioTimeout it would keep asking a hung Sentinel forever.
const failoverTimeout = 3 * ioTimeout

// New returns a client for a redis:// URL. With master_name in its query, the
// URL's host and each addr in the query are Sentinels, and the client follows
// the primary they name:
// redis://host:26379/0?master_name=frontrow&addr=host2:26379.
//
// The client fails fast and retries once. New does not connect.
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
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = ioTimeout, ioTimeout, ioTimeout, ioTimeout
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
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = failoverTimeout, ioTimeout, ioTimeout, ioTimeout
	opts.DialerRetries, opts.MaxRetries = 1, 1
	opts.MinRetryBackoff, opts.MaxRetryBackoff = time.Millisecond, 10*time.Millisecond
	opts.PoolSize = poolSize
	opts.DisableIdentity, opts.Protocol = true, protocol
	return redis.NewFailoverClient(opts), nil
}

func init() { redis.SetLogger(discardLogger{}) }

// discardLogger sends the client's own messages to the debug log: each failure is
// returned as an error as well.
type discardLogger struct{}

// Printf logs at debug level.
func (discardLogger) Printf(ctx context.Context, format string, v ...any) {
	slog.DebugContext(ctx, fmt.Sprintf(format, v...))
}
