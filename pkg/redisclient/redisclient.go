// Package redisclient creates Redis clients for the services: of a standalone
// server, or of the primary behind Sentinels.
package redisclient

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
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

// New returns a client for a redis:// URL, or for a rediss:// URL, which means
// TLS. With master_name in its query, the URL's host and each addr in the query
// are Sentinels, and the client follows the primary they name:
// redis://host:26379/0?master_name=frontrow&addr=host2:26379.
//
// With TLS, each server's certificate must be for the name by which it is
// dialled, and be signed by one of the certificates (PEM) in the file that
// ca_file in the query names, or by one of the system's authorities.
//
// The client fails fast and retries once. New does not connect.
func New(address string) (*redis.Client, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("redis url: %w", err)
	}
	authorities, err := takeAuthorities(parsed)
	if err != nil {
		return nil, fmt.Errorf("redis url: %w", err)
	}
	if parsed.Query().Has("master_name") {
		return newFailover(parsed.String(), authorities)
	}
	opts, err := redis.ParseURL(parsed.String())
	if err != nil {
		return nil, fmt.Errorf("redis url: %w", err)
	}
	if opts.TLSConfig != nil {
		opts.TLSConfig.RootCAs = authorities
	}
	opts.ContextTimeoutEnabled = true
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = ioTimeout, ioTimeout, ioTimeout, ioTimeout
	opts.DialerRetries, opts.MaxRetries = 1, 1
	opts.MinRetryBackoff, opts.MaxRetryBackoff = time.Millisecond, 10*time.Millisecond
	opts.PoolSize = poolSize
	opts.DisableIdentity, opts.Protocol = true, protocol
	return redis.NewClient(opts), nil
}

// takeAuthorities removes ca_file from address, since go-redis refuses unknown
// parameters, and returns the certificates in that file. Without ca_file it
// returns nil.
func takeAuthorities(address *url.URL) (*x509.CertPool, error) {
	query := address.Query()
	file := query.Get("ca_file")
	if file == "" {
		return nil, nil
	}
	if address.Scheme != "rediss" {
		return nil, errors.New("ca_file is set, but the scheme is not rediss")
	}
	query.Del("ca_file")
	address.RawQuery = query.Encode()
	certificates, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates) {
		return nil, fmt.Errorf("%s has no certificate", file)
	}
	return pool, nil
}

func newFailover(address string, authorities *x509.CertPool) (*redis.Client, error) {
	opts, err := redis.ParseFailoverURL(address)
	if err != nil {
		return nil, fmt.Errorf("redis url: %w", err)
	}
	if opts.TLSConfig != nil {
		opts.TLSConfig.RootCAs = authorities
		// go-redis would expect the first Sentinel's name of every server.
		opts.TLSConfig.ServerName = ""
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
