package consul

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// link is a TCP connection to Consul that a test can cut and restore.
type link struct {
	addr, target string

	mu    sync.Mutex
	ln    net.Listener
	conns []net.Conn
}

func newLink(t *testing.T, target string) *link {
	t.Helper()
	l := &link{target: target, addr: testkit.FreeAddr(t)}
	l.restore(t)
	t.Cleanup(l.cut)
	return l
}

func (l *link) restore(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.ln = ln
	l.mu.Unlock()
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", l.target)
			if err != nil {
				in.Close()
				continue
			}
			l.mu.Lock()
			l.conns = append(l.conns, in, out)
			l.mu.Unlock()
			go func() { _, _ = io.Copy(out, in); out.Close() }()
			go func() { _, _ = io.Copy(in, out); in.Close() }()
		}
	}()
}

func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ln.Close()
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

// agent is a Consul agent that answers health queries as set by the test.
type agent struct {
	mu      sync.Mutex
	body    string
	index   string
	changed chan struct{}
}

func newAgent() *agent { return &agent{body: "[]", index: "1", changed: make(chan struct{})} }

// say sets the healthy instances (id=host:port) and the index.
func (a *agent) say(index string, instances ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var entries []string
	for _, i := range instances {
		id, addr, _ := strings.Cut(i, "=")
		host, port, _ := net.SplitHostPort(addr)
		entries = append(entries, `{"Node":{},"Service":{"ID":"`+id+`","Address":"`+host+`","Port":`+port+`}}`)
	}
	a.body, a.index = "["+strings.Join(entries, ",")+"]", index
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	changed, index := a.changed, a.index
	a.mu.Unlock()
	if r.URL.Query().Get("index") == index {
		wait, _ := time.ParseDuration(r.URL.Query().Get("wait"))
		select {
		case <-changed:
		case <-time.After(wait):
		case <-r.Context().Done():
			return
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("X-Consul-Index", a.index)
	_, _ = io.WriteString(w, a.body)
}
