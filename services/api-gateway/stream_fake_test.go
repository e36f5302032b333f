package main

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const streamPath = "/api/v1/events/0193b3a0-3333-7abc-8def-000000000003/seats/stream"

// queueStreamPath is the stream of the same event's queue.
const queueStreamPath = "/api/v1/events/0193b3a0-3333-7abc-8def-000000000003/queue/stream"

// eventLog is an event's log, served by fake booking-service replicas. The seats at log position n are the
// data "n". The queue's stream has a snapshot of each position.
type eventLog struct {
	mu      sync.Mutex
	head    int
	changed chan struct{}
	// oldest is the first position after which a stream can resume.
	oldest int
	// left is a channel with capacity for the streams that have ended.
	left chan struct{}
	// streams and snapshots count the requests.
	streams, snapshots atomic.Int64
	// beforeSnapshot, if not nil, is called before a snapshot is sent.
	beforeSnapshot func()
	// lag is how many positions the first snapshot is behind.
	lag int
	// pad makes the changes larger.
	pad string
	// heartbeat makes a stream send a heartbeat.
	heartbeat chan struct{}
}

func newEventLog() *eventLog {
	return &eventLog{
		head: 100, oldest: 100, changed: make(chan struct{}), left: make(chan struct{}, 1000),
		heartbeat: make(chan struct{}),
	}
}

func (s *eventLog) now() (int, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head, s.changed
}

// append adds one entry.
func (s *eventLog) append() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head++
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *eventLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/stream") {
		lag := 0
		if s.snapshots.Add(1) == 1 {
			lag = s.lag
		}
		if s.beforeSnapshot != nil {
			s.beforeSnapshot()
		}
		head, _ := s.now()
		fmt.Fprintf(w, `{"version":%d,"blocks":[]}`, head-lag)
		return
	}
	s.streams.Add(1)
	w.Header().Set("Content-Type", "text/event-stream")
	at, _ := s.now()
	since, err := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	if err == nil && since >= s.oldest && since <= at {
		fmt.Fprintf(w, "id: %d\n\n", since)
		at = since
	} else {
		fmt.Fprintf(w, "event: snapshot\nid: %d\ndata: {\"version\":%d,\"blocks\":[]}\n\n", at, at)
	}
	for {
		head, changed := s.now()
		if at < head && strings.HasSuffix(r.URL.Path, "/queue/stream") {
			at = head
			fmt.Fprintf(w, "event: snapshot\nid: %d\ndata: {\"version\":%d}\n\n", at, at)
		}
		for ; at < head; at++ {
			fmt.Fprintf(w, "event: delta\ndata: first of %d%s\n\n", at+1, s.pad)
			fmt.Fprintf(w, "event: delta\nid: %d\ndata: last of %d\n\n", at+1, at+1)
		}
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-s.heartbeat:
			fmt.Fprint(w, ": heartbeat\n\n")
		case <-r.Context().Done():
			s.left <- struct{}{}
			return
		}
	}
}

// streamClient is a client's stream. It checks that no change is missing.
type streamClient struct {
	t    testing.TB
	resp *http.Response
	in   *bufio.Reader
	// at is the position up to which it has everything; snapshots counts those
	// it got.
	at, snapshots int
	// all is everything it got except the first frame, retry.
	all strings.Builder
}

// watch opens a stream of seats; lastID may be empty.
func (w *world) watch(lastID string) *streamClient {
	w.t.Helper()
	return w.follow(streamPath, lastID)
}

// follow opens a stream; headers are name, value pairs.
func (w *world) follow(path, lastID string, headers ...string) *streamClient {
	w.t.Helper()
	// A separate transport, so that other streams don't wait for the client's
	// connections.
	client := &http.Client{Transport: &http.Transport{}}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" ||
		resp.Header.Get("X-Request-Id") == "" {
		w.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	if !resp.Close || len(resp.TransferEncoding) > 0 {
		w.t.Errorf("the body does not end with the connection: %t %v", resp.Close, resp.TransferEncoding)
	}
	f := &streamClient{t: w.t, resp: resp, in: bufio.NewReader(resp.Body)}
	if at, err := strconv.Atoi(lastID); err == nil {
		f.at = at
	}
	if frame, err := f.frame(); err != nil || !strings.HasPrefix(frame, "retry: ") {
		w.t.Fatalf("the stream begins with %q, %v", frame, err)
	}
	return f
}

func (f *streamClient) frame() (string, error) {
	var frame strings.Builder
	for {
		line, err := f.in.ReadString('\n')
		if err != nil {
			return "", err
		}
		frame.WriteString(line)
		if line == "\n" {
			return frame.String(), nil
		}
	}
}

// next reads one frame.
func (f *streamClient) next() error {
	frame, err := f.frame()
	if err != nil {
		return err
	}
	f.all.WriteString(frame)
	var at int
	switch {
	case strings.HasPrefix(frame, "event: snapshot\n"):
		if _, err := fmt.Sscanf(frame, "event: snapshot\nid: %d\n", &at); err != nil {
			return err
		}
		if at < f.at {
			return fmt.Errorf("a snapshot of %d after %d", at, f.at)
		}
		f.at = at
		f.snapshots++
	case strings.HasPrefix(frame, "event: delta\ndata: first of "):
		if _, err := fmt.Sscanf(frame, "event: delta\ndata: first of %d", &at); err != nil || at != f.at+1 {
			return fmt.Errorf("%q after %d", frame, f.at)
		}
	default:
		var data int
		if _, err := fmt.Sscanf(frame, "event: delta\nid: %d\ndata: last of %d\n", &at, &data); err != nil ||
			at != f.at+1 || data != at {
			return fmt.Errorf("%q after %d", frame, f.at)
		}
		f.at = at
	}
	return nil
}

// readUntil reads frames up to a position.
func (f *streamClient) readUntil(at int) {
	f.t.Helper()
	for f.at < at {
		if err := f.next(); err != nil {
			f.t.Errorf("at %d: %v", f.at, err)
			return
		}
	}
}

// metric returns the value of one of the gateway's metrics.
func (w *world) metric(name string) float64 {
	w.t.Helper()
	resp, err := http.Get(w.admin + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, _ := strconv.ParseFloat(rest, 64)
			return v
		}
	}
	return 0
}
