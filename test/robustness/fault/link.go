package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
)

// links controls the proxies between the parts of the cluster.
type links struct {
	client *toxiproxy.Client
	names  []string
}

// openLinks returns nil if the instance has no links.
func openLinks(address string) (*links, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // its methods accept nil
	}
	client := toxiproxy.NewClient(address)
	proxies, err := client.Proxies()
	if err != nil {
		return nil, fmt.Errorf("toxiproxy: %w", err)
	}
	return &links{client: client, names: slices.Sorted(maps.Keys(proxies))}, nil
}

// heal restores all links.
func (l *links) heal() error {
	if l == nil {
		return nil
	}
	if err := l.client.ResetState(); err != nil {
		return fmt.Errorf("toxiproxy: %w", err)
	}
	return nil
}

// toxic is a toxiproxy toxic, applied to a share of the connections.
type toxic struct {
	kind       string
	share      float32
	attributes toxiproxy.Attributes
}

// Variants of lossy and cut.
const (
	resets  = "connections are reset" // some, after a while
	limits  = "connections end"       // some, after some bytes
	hangs   = "nothing passes"        // connections stay and open, but carry no data
	refuses = "connections are refused"
)

func (i *Injector) linkKinds() []kind {
	each := func(details ...string) func() ([]Fault, string) {
		return func() ([]Fault, string) {
			if i.toxiproxy == nil {
				return nil, "no toxiproxy between the parts of this instance (FRONTROW_TOXIPROXY is not set)"
			}
			var list []Fault
			for _, name := range i.toxiproxy.names {
				for _, detail := range details {
					list = append(list, Fault{Target: name, Detail: detail})
				}
			}
			return list, ""
		}
	}
	return []kind{
		{name: "slow", faults: each(""), start: func(ctx context.Context, f Fault) (undo, error) {
			return i.addToxic(ctx, f, toxic{"latency", 1, toxiproxy.Attributes{"latency": 250, "jitter": 200}})
		}},
		{name: "lossy", faults: each(resets, limits), start: func(ctx context.Context, f Fault) (undo, error) {
			if f.Detail == limits {
				return i.addToxic(ctx, f, toxic{"limit_data", 0.5, toxiproxy.Attributes{"bytes": 20_000}})
			}
			return i.addToxic(ctx, f, toxic{"reset_peer", 0.5, toxiproxy.Attributes{"timeout": 500}})
		}},
		{name: "cut", faults: each(hangs, refuses), start: func(ctx context.Context, f Fault) (undo, error) {
			if f.Detail == refuses {
				return i.disableLink(ctx, f.Target)
			}
			return i.addToxic(ctx, f, toxic{"timeout", 1, toxiproxy.Attributes{"timeout": 0}})
		}},
		{name: "lost-replies", faults: func() ([]Fault, string) {
			faults, missing := each("")()
			return slices.DeleteFunc(faults, func(f Fault) bool { return !storeLink(f.Target) }), missing
		}, start: func(ctx context.Context, f Fault) (undo, error) {
			return i.addToxic(ctx, f, toxic{"timeout", 1, toxiproxy.Attributes{"timeout": 0}}, "downstream")
		}},
	}
}

// storeLink reports whether a link leads to a store whose reply to a write
// decides what a client is told. Without that reply, the write may have been
// applied.
func storeLink(name string) bool {
	return strings.HasSuffix(name, ":clients") && strings.HasPrefix(name, "cassandra") ||
		strings.HasSuffix(name, ":postgres") && strings.HasPrefix(name, "payment-service")
}

// addToxic adds a toxic to the given directions of a link, or to both.
func (i *Injector) addToxic(ctx context.Context, f Fault, t toxic, streams ...string) (undo, error) {
	if len(streams) == 0 {
		streams = []string{"upstream", "downstream"}
	}
	proxy, free, err := i.link(ctx, f.Target)
	if err != nil {
		return nil, err
	}
	var added []string
	heal := func(context.Context) error {
		defer free()
		var failures []error
		for _, name := range added {
			failures = append(failures, proxy.RemoveToxic(name))
		}
		return errors.Join(failures...)
	}
	for _, stream := range streams {
		name := f.Kind + " " + stream
		if _, err := proxy.AddToxic(name, t.kind, stream, t.share, t.attributes); err != nil {
			return heal, err
		}
		added = append(added, name)
	}
	return heal, nil
}

// disableLink closes a link's connections and its listener.
func (i *Injector) disableLink(ctx context.Context, name string) (undo, error) {
	proxy, free, err := i.link(ctx, name)
	if err != nil {
		return nil, err
	}
	heal := func(context.Context) error {
		defer free()
		return proxy.Enable()
	}
	return heal, proxy.Disable()
}

func (i *Injector) link(ctx context.Context, name string) (*toxiproxy.Proxy, func(), error) {
	if i.toxiproxy == nil {
		return nil, nil, errors.New("this instance has no links")
	}
	free, err := i.locks.lock(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	proxy, err := i.toxiproxy.client.Proxy(name)
	if err != nil {
		free()
		return nil, nil, err
	}
	return proxy, free, nil
}
