package main

import (
	"errors"
	"fmt"

	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

// discover returns a pool for each service, and the resolver that fills them.
func discover(cfg config) (map[string]*upstream.Pool, *consul.Resolver, error) {
	if cfg.ConsulAddr == "" && len(cfg.DiscoveryDNS) == 0 {
		return nil, nil, errors.New("CONSUL_ADDR or DISCOVERY_DNS must be set")
	}
	pools := map[string]*upstream.Pool{}
	byName := map[string]*upstream.Pool{}
	var names []string
	for _, service := range route.Services {
		name := cfg.servicePrefix + service
		if cfg.ConsulAddr == "" && cfg.DiscoveryDNS[name] == "" {
			return nil, nil, fmt.Errorf("DISCOVERY_DNS has no address of %s", name)
		}
		pools[service] = upstream.NewPool()
		byName[name] = pools[service]
		names = append(names, name)
	}
	resolver, err := consul.Discover(cfg.ConsulAddr, cfg.DiscoveryDNS, names...)
	if err != nil {
		return nil, nil, err
	}
	resolver.OnChange(func(service string, instances []consul.Instance) {
		replicas := make([]upstream.Replica, len(instances))
		for i, in := range instances {
			replicas[i] = upstream.Replica{ID: in.ID, Addr: in.Addr}
		}
		byName[service].Set(replicas)
	})
	return pools, resolver, nil
}
