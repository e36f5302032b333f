package main

import (
	"bufio"
	"net"
	"net/http"
	"strconv"
)

func init() {
	wrap = func(front http.Handler) http.Handler { return sharing{front} }
}

// sharing opens as many streams on one connection as a request's header Bench-Streams says, so that more streams
// can be measured than a process may open files. Each is opened by a request of its own and is a watcher like any
// other; they share only the socket.
type sharing struct{ http.Handler }

func (s sharing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	streams, err := strconv.Atoi(r.Header.Get("Bench-Streams"))
	if err != nil {
		s.Handler.ServeHTTP(w, r)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for range streams {
		s.Handler.ServeHTTP(&onConn{Conn: conn, header: http.Header{}}, r)
	}
}

// onConn writes a response to a connection that it shares, without a header but the status line.
type onConn struct {
	net.Conn
	header http.Header
}

// Header implements http.ResponseWriter.
func (c *onConn) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter.
func (c *onConn) WriteHeader(status int) {
	_, _ = c.Conn.Write([]byte("HTTP/1.1 " + strconv.Itoa(status) + "\r\n\r\n"))
}

// Flush implements http.Flusher.
func (*onConn) Flush() {}

// Hijack implements http.Hijacker.
func (c *onConn) Hijack() (net.Conn, *bufio.ReadWriter, error) { return c.Conn, nil, nil }
