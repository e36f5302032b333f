package main

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy is a TCP connection to a backend that can be cut.
type proxy struct {
	backend string

	mu    sync.Mutex
	isCut bool
	conns []net.Conn
}

// newProxy routes the address in a URL through a line.
func newProxy(t *testing.T, address *string) *proxy {
	t.Helper()
	u, err := url.Parse(*address)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &proxy{backend: u.Host}
	u.Host = ln.Addr().String()
	*address = u.String()
	var open sync.WaitGroup
	open.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			open.Go(func() { l.lead(client) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); l.cut(); open.Wait() })
	return l
}

func (l *proxy) lead(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", l.backend)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	l.mu.Lock()
	if l.isCut {
		l.mu.Unlock()
		return
	}
	l.conns = append(l.conns, client, server)
	l.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(server, client); _ = server.Close() })
	both.Go(func() { _, _ = io.Copy(client, server); _ = client.Close() })
	both.Wait()
}

// cut closes all connections; new ones are closed at once.
func (l *proxy) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func (l *proxy) restore() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = false
}
