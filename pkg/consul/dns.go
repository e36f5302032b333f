package consul

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// dnsInterval is how often names are looked up. A cluster's DNS may cache a
// response for longer.
const dnsInterval = time.Second

// names resolves services by DNS. It maps each service to its host:port.
type names struct {
	of         map[string]string
	lookupHost func(ctx context.Context, host string) ([]string, error)
}

// NewDNSResolver returns a resolver for deployments without Consul. Hosts maps
// each service to host:port; every address of the host is an instance, as with
// a headless Kubernetes Service, which resolves to the ready pods. An
// instance's ID is its host:port.
func NewDNSResolver(hosts map[string]string) (*Resolver, error) {
	for service, host := range hosts {
		if _, _, err := net.SplitHostPort(host); err != nil {
			return nil, fmt.Errorf("host of %s: %w", service, err)
		}
	}
	n := names{of: hosts, lookupHost: net.DefaultResolver.LookupHost}
	r := &Resolver{query: n.query, log: slog.Default(), services: map[string]*watch{}, grace: grace}
	for service := range hosts {
		r.add(service)
	}
	return r, nil
}

// Discover returns a resolver of the named services. It uses the Consul agent
// at addr, or DNS if addr is empty.
func Discover(addr string, hosts map[string]string, services ...string) (*Resolver, error) {
	if addr == "" {
		return NewDNSResolver(hosts)
	}
	return NewResolver(addr, services...)
}

// query looks a service up, immediately when index is 0.
func (n names) query(ctx context.Context, service string, index uint64, _ time.Duration) ([]Instance, uint64, error) {
	if index != 0 {
		clock.Sleep(ctx, dnsInterval)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(n.of[service])
	if err != nil {
		return nil, 0, err
	}
	addresses, err := n.lookupHost(ctx, host)
	var failure *net.DNSError
	if nobody := errors.As(err, &failure) && failure.IsNotFound; err != nil && !nobody {
		return nil, 0, err
	}
	found := make([]Instance, len(addresses))
	for i, a := range addresses {
		addr := net.JoinHostPort(a, port)
		found[i] = Instance{ID: addr, Addr: addr}
	}
	return found, 1, nil
}
