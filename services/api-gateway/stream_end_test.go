package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestStreamContinuesAtAnotherReplica(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	replicas := []*replica{w.replica("booking-service", 0, s.ServeHTTP), w.replica("booking-service", 1, s.ServeHTTP)}
	w.start()
	one, two := w.watch(""), w.watch("")
	s.append()
	one.readUntil(101)
	two.readUntil(101)
	serving := 0
	if len(replicas[0].requests()) == 0 {
		serving = 1
	}
	replicas[serving].kill()
	s.append()
	one.readUntil(102)
	s.append()
	one.readUntil(103)
	two.readUntil(103)
	if one.snapshots != 1 || two.snapshots != 1 {
		t.Errorf("%d and %d snapshots, want the first ones only", one.snapshots, two.snapshots)
	}
	if got := replicas[1-serving].requests(); len(got) != 1 || got[0].header.Get("Last-Event-ID") == "" {
		t.Errorf("the other replica got %v", got)
	}
}

func TestStreamEndsWhenNoReplicaIsLeft(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	r := w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	f := w.watch("")
	f.readUntil(100)
	r.kill()
	if err := f.next(); !errors.Is(err, io.EOF) {
		t.Errorf("the stream ended with %v", err)
	}
	w.want(w.send("GET", streamPath, ""), http.StatusServiceUnavailable, "unavailable")
}

func TestRefusedStreamGetsTheResponseOfBookingService(t *testing.T) {
	w := newWorld(t)
	r := w.replica("booking-service", 0, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/problem+json")
		rw.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(rw, `{"code":"not_found"}`)
	})
	w.start()
	for range 2 {
		a := w.want(w.send("GET", streamPath, ""), http.StatusNotFound, "not_found")
		if a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v", a.header)
		}
	}
	if n := len(r.requests()); n != 2 {
		t.Errorf("%d requests, want one each: the response may change", n)
	}
}

func TestSlowWatcherIsDisconnectedAndDelaysNobody(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	s.pad = strings.Repeat(".", 100_000)
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
	}}
	slow, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "GET "+streamPath+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	quick := w.watch("")
	quick.readUntil(100)
	testkit.Eventually(t, "both streams are open", func() bool { return w.metric("seat_stream_watchers") == 2 })
	// It exceeds all buffers on the way and the history many times over.
	for i := range 200 {
		s.append()
		quick.readUntil(101 + i)
	}
	go func() { _, _ = io.Copy(io.Discard, slow) }()
	testkit.Eventually(t, "the slow watcher is disconnected", func() bool { return w.metric("seat_stream_cut_off_total") >= 1 })
	testkit.Eventually(t, "its stream has ended", func() bool { return w.metric("seat_stream_watchers") == 1 })
	s.append()
	quick.readUntil(301)
}

func TestStreamsOfAnAddressAreLimited(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.configure = func(c *config) { c.RateLimitAddress = 100_000 } // this test does not limit requests
	w.start()
	// As many as one address may have, on minimal connections.
	address := strings.TrimPrefix(w.url, "http://")
	open := func() (string, net.Conn) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, "GET "+streamPath+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		status := make([]byte, len("HTTP/1.1 200"))
		if _, err := io.ReadFull(conn, status); err != nil {
			t.Fatal(err)
		}
		return string(status[9:]), conn
	}
	var last net.Conn
	for i := range 4096 {
		var status string
		if status, last = open(); status != "200" {
			t.Fatalf("stream %d: %s", i, status)
		}
	}
	if status, _ := open(); status != "429" {
		t.Fatalf("one more: %s", status)
	}
	a := w.want(w.send("GET", streamPath, ""), http.StatusTooManyRequests, "too_many_streams")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	last.Close()
	testkit.Eventually(t, "there is room for one more", func() bool { status, _ := open(); return status == "200" })
}

func TestStreamEndsWhenTheGatewayStops(t *testing.T) {
	ended := make(chan error, 1)
	ran := t.Run("gateway", func(t *testing.T) {
		w := newWorld(t)
		s := newEventLog()
		w.replica("booking-service", 0, s.ServeHTTP)
		w.start()
		// Not with watch, whose context ends with this test.
		resp, err := http.Get(w.url + streamPath)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			ended <- err
		}()
		// The cleanup stops the gateway.
	})
	if !ran {
		return
	}
	if err := <-ended; err != nil {
		t.Errorf("the stream broke off: %v", err)
	}
}
