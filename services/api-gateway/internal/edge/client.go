package edge

import (
	"net/http"
	"net/netip"
	"strings"
)

// client is the sender of a request as seen by the network.
type client struct {
	addr  netip.Addr
	https bool
}

// limitKey returns the address by which requests are counted. IPv6 clients count by their /64, which one
// household shares.
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

// clientOf returns the peer or, behind trusted proxies, the last address in X-Forwarded-For that is not
// itself a trusted proxy.
func (s *Server) clientOf(r *http.Request) client {
	c := client{https: r.TLS != nil}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.addr = peer.Addr().Unmap().WithZone("")
	}
	if !s.trusts(c.addr) {
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
		if !s.trusts(c.addr) {
			return c
		}
	}
	return c
}

func (s *Server) trusts(a netip.Addr) bool {
	for _, p := range s.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
