package door

import (
	"net/http"
	"net/netip"
	"strings"
)

// client is who sends a request, as far as the network tells.
type client struct {
	addr  netip.Addr
	https bool
}

// limitKey is the address by which requests are counted; a household has a
// whole /64 of IPv6.
func (c client) limitKey() string {
	if c.addr.Is6() {
		if p, err := c.addr.Prefix(64); err == nil {
			return p.String()
		}
	}
	return c.addr.String()
}

func (c client) scheme() string {
	if c.https {
		return "https"
	}
	return "http"
}

// client returns the peer, or whom a trusted proxy says it speaks for: the last
// address in X-Forwarded-For that is not a trusted proxy itself.
func (d *Door) client(r *http.Request) client {
	c := client{https: r.TLS != nil}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.addr = peer.Addr().Unmap().WithZone("")
	}
	if !d.trusts(c.addr) {
		return c
	}
	c.https = c.https || r.Header.Get("X-Forwarded-Proto") == "https"
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return c
		}
		c.addr = hop.Unmap().WithZone("")
		if !d.trusts(c.addr) {
			return c
		}
	}
	return c
}

func (d *Door) trusts(a netip.Addr) bool {
	for _, p := range d.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
