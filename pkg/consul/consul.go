// Package consul registers a service, finds the healthy instances of others,
// and elects leaders. A Consul outage never fails the caller: registration is
// retried, addresses stay the last known, leaders step down.
package consul

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// requestTimeout bounds every request that is not a blocking query.
const requestTimeout = 3 * time.Second

// newClient returns a client of the agent at addr (host:port) with its own
// connections. Consul's own variables have the token (CONSUL_HTTP_TOKEN), say
// that the agent speaks TLS (CONSUL_HTTP_SSL), and name a file with the
// certificates that sign the agent's (CONSUL_CACERT).
func newClient(addr string) (*api.Client, error) {
	cfg := api.DefaultConfig()
	cfg.Address = addr
	cfg.Transport = &http.Transport{
		DialContext: (&net.Dialer{Timeout: time.Second, KeepAlive: 15 * time.Second}).DialContext,
		// An agent serves 200 connections of an address. Requests are rare, and blocking queries keep theirs busy.
		DisableKeepAlives: true,
	}
	client, err := api.NewClient(cfg)
	if err != nil {
		return nil, fmt.Errorf("consul: %w", err)
	}
	return client, nil
}

// backoff doubles the delay after each failure, with jitter so that the clients
// of a returning agent don't all reconnect at once.
type backoff struct{ next time.Duration }

const (
	backoffMin = 200 * time.Millisecond
	backoffMax = 5 * time.Second
)

// wait blocks for the next delay or until ctx ends.
func (b *backoff) wait(ctx context.Context) {
	b.next = min(max(b.next*2, backoffMin), backoffMax)
	clock.Sleep(ctx, b.next/2+rand.N(b.next/2))
}

func (b *backoff) reset() { b.next = 0 }
