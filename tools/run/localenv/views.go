package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// A Sentinel tells every client the same address of the primary, but here each client has its own link to
// each Redis. So each client queries the Sentinels through a view, a proxy that forwards requests unchanged
// and replaces the ports in the answers with those of the client's links. All ports have five digits and the
// host is 127.0.0.1 everywhere, so lengths in the answers stay correct.

// view is one client's proxy to one Sentinel.
type view struct {
	listen, sentinel string
	replace          map[string]string // ports
}

func (s *system) views() []view {
	var views []view
	port := func(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
	for _, c := range s.clusterClients() {
		if s.linkAddress(sentinelLink(c.process, 1)) == "" {
			continue
		}
		replace := map[string]string{}
		for node := 1; node <= redisNodes; node++ {
			replace[port(s.linkAddress(redisPeers(node)))] = port(s.linkAddress(redisLink(c.process, node)))
		}
		for node := 1; node <= sentinelNodes; node++ {
			replace[port(s.sentinelAddress(node))] = port(s.linkAddress(sentinelLink(c.process, node)))
		}
		for node := 1; node <= sentinelNodes; node++ {
			views = append(views, view{listen: local(c.views + node), sentinel: s.sentinelAddress(node), replace: replace})
		}
	}
	return views
}

const viewsReady = "the views of the Sentinels are open"

// serveViews serves all views until ctx ends. The supervisor of the cluster runs it.
func (s *system) serveViews(ctx context.Context) error {
	failed := make(chan error, 1)
	for _, v := range s.views() {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", v.listen)
		if err != nil {
			return err
		}
		go func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					failed <- err
					return
				}
				go v.serve(ctx, connection)
			}
		}()
	}
	s.out.note(viewsReady)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// serve proxies one connection until either side ends it.
func (v view) serve(ctx context.Context, client net.Conn) {
	dialer := net.Dialer{Timeout: time.Second}
	sentinel, err := dialer.DialContext(ctx, "tcp", v.sentinel)
	if err != nil {
		_ = client.Close()
		return
	}
	var both sync.WaitGroup
	closeBoth := func() { _ = errors.Join(client.Close(), sentinel.Close()) }
	both.Go(func() {
		_, _ = io.Copy(sentinel, client)
		closeBoth()
	})
	both.Go(func() {
		_ = v.rewrite(client, sentinel)
		closeBoth()
	})
	both.Wait()
}

const portDigits = 5

// rewrite copies a Sentinel's answers. A port may arrive in two pieces: the possible beginning of one waits
// for the rest.
func (v view) rewrite(to io.Writer, from io.Reader) error {
	buffer := make([]byte, 0, 64<<10)
	for {
		n, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		for old, new := range v.replace {
			for rest := buffer; ; {
				at := bytes.Index(rest, []byte(old))
				if at < 0 {
					break
				}
				copy(rest[at:], new)
				rest = rest[at+len(new):]
			}
		}
		whole := len(buffer) - v.unfinished(buffer)
		if err != nil {
			whole = len(buffer)
		}
		if _, err := to.Write(buffer[:whole]); err != nil {
			return err
		}
		buffer = buffer[:copy(buffer[:cap(buffer)], buffer[whole:])]
		if err != nil {
			return err
		}
	}
}

// unfinished returns how many bytes at the end may be the beginning of a port to be replaced.
func (v view) unfinished(text []byte) int {
	for n := min(portDigits-1, len(text)); n > 0; n-- {
		for old := range v.replace {
			if strings.HasPrefix(old, string(text[len(text)-n:])) {
				return n
			}
		}
	}
	return 0
}
