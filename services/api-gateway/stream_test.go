package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

const streamPath = "/api/v1/events/0193b3a0-3333-7abc-8def-000000000003/seats/stream"

// sale is an event's log, with fake booking-service replicas. The seats at log
// position n are the data "n".
type sale struct {
	mu      sync.Mutex
	head    int
	changed chan struct{}
	// oldest is the first position after which a stream can resume.
	oldest int
	// left is a channel with capacity for the streams that have ended.
	left chan struct{}
	// streams and snapshots count the requests.
	streams, snapshots atomic.Int64
	// onSnapshot, if not nil, is called before a snapshot is sent.
	onSnapshot func()
	// late is how many positions the first snapshot lags behind.
	late int
	// pad makes the changes larger.
	pad string
	// beat makes a stream send a heartbeat.
	beat chan struct{}
}

func newSale() *sale {
	return &sale{head: 100, oldest: 100, changed: make(chan struct{}), left: make(chan struct{}, 1000), beat: make(chan struct{})}
}

func (s *sale) now() (int, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head, s.changed
}

// change appends one entry.
func (s *sale) change() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head++
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *sale) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/stream") {
		late := 0
		if s.snapshots.Add(1) == 1 {
			late = s.late
		}
		if s.onSnapshot != nil {
			s.onSnapshot()
		}
		head, _ := s.now()
		fmt.Fprintf(w, `{"version":%d,"blocks":[]}`, head-late)
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
		for ; at < head; at++ {
			fmt.Fprintf(w, "event: delta\ndata: first of %d%s\n\nevent: delta\nid: %d\ndata: last of %d\n\n", at+1, s.pad, at+1, at+1)
		}
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-s.beat:
			fmt.Fprint(w, ": heartbeat\n\n")
		case <-r.Context().Done():
			s.left <- struct{}{}
			return
		}
	}
}

// fan is a client's stream. It checks that no change is missing.
type fan struct {
	t    testing.TB
	resp *http.Response
	in   *bufio.Reader
	// at is the position up to which it has everything; snapshots counts those
	// it got.
	at, snapshots int
	// all is everything it got except the first frame, retry.
	all strings.Builder
}

// fan opens a stream; lastID may be empty.
func (w *world) fan(lastID string) *fan {
	w.t.Helper()
	// A separate transport, so that other streams don't wait for the client's
	// connections.
	client := &http.Client{Transport: &http.Transport{}}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+streamPath, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Request-Id") == "" {
		w.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	if !resp.Close || len(resp.TransferEncoding) > 0 {
		w.t.Errorf("the body does not end with the connection: %t %v", resp.Close, resp.TransferEncoding)
	}
	f := &fan{t: w.t, resp: resp, in: bufio.NewReader(resp.Body)}
	if at, err := strconv.Atoi(lastID); err == nil {
		f.at = at
	}
	if frame, err := f.frame(); err != nil || !strings.HasPrefix(frame, "retry: ") {
		w.t.Fatalf("the stream begins with %q, %v", frame, err)
	}
	return f
}

func (f *fan) frame() (string, error) {
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
func (f *fan) next() error {
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
		if _, err := fmt.Sscanf(frame, "event: delta\nid: %d\ndata: last of %d\n", &at, &data); err != nil || at != f.at+1 || data != at {
			return fmt.Errorf("%q after %d", frame, f.at)
		}
		f.at = at
	}
	return nil
}

// until reads frames up to a position.
func (f *fan) until(at int) {
	f.t.Helper()
	for f.at < at {
		if err := f.next(); err != nil {
			f.t.Errorf("at %d: %v", f.at, err)
			return
		}
	}
}

func TestStreamIsSharedAndEndsWithItsLastWatcher(t *testing.T) {
	w := newWorld(t)
	s := newSale()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	one, two := w.fan(""), w.fan("")
	one.until(100)
	two.until(100)
	for i := range 20 {
		s.change()
		// Blocks forever if the gateway holds back changes.
		one.until(101 + i)
		two.until(101 + i)
	}
	if one.all.String() != two.all.String() {
		t.Errorf("two watchers got\n%s\nand\n%s", &one.all, &two.all)
	}
	if n, m := s.streams.Load(), s.snapshots.Load(); n != 1 || m != 0 {
		t.Errorf("booking-service was asked for %d streams and %d snapshots", n, m)
	}
	one.resp.Body.Close()
	s.change()
	two.until(121)
	two.resp.Body.Close()
	<-s.left
}

func TestStreamPassesHeartbeats(t *testing.T) {
	w := newWorld(t)
	s := newSale()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	fans := []*fan{w.fan(""), w.fan("")}
	for _, f := range fans {
		f.until(100)
	}
	s.change()
	for _, f := range fans {
		f.until(101)
	}
	var got atomic.Int64
	for _, f := range fans {
		go func() {
			if frame, _ := f.frame(); frame == ": heartbeat\n\n" {
				got.Add(1)
			}
		}()
	}
	testkit.Eventually(t, "both have a heartbeat", func() bool {
		// Again: a watcher that is being written to may be skipped.
		select {
		case s.beat <- struct{}{}:
		default:
		}
		return got.Load() == 2
	})
}

func TestStreamContinuesWhereItsWatcherWas(t *testing.T) {
	w := newWorld(t)
	s := newSale()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	for range 5 {
		s.change()
	}
	first := w.fan("102") // booking-service still has it
	first.until(105)
	s.change()
	first.until(106)
	again := w.fan("104") // the gateway still has it
	again.until(106)
	s.change()
	again.until(107)
	if first.snapshots+again.snapshots > 0 || s.streams.Load() != 1 || s.snapshots.Load() > 0 {
		t.Errorf("continued with %d and %d snapshots, %d streams", first.snapshots, again.snapshots, s.streams.Load())
	}
	for _, unknown := range []string{"7", "9999", "x", "-1"} {
		f := w.fan(unknown)
		f.at = 0
		f.until(107)
		if f.snapshots != 1 {
			t.Errorf("Last-Event-ID %s: %d snapshots", unknown, f.snapshots)
		}
	}
	if n := s.snapshots.Load(); n != 1 {
		t.Errorf("booking-service was asked for %d snapshots", n)
	}
}

func TestStreamMissesNothingWhileTheSeatsChange(t *testing.T) {
	w := newWorld(t)
	s := newSale()
	s.pad = strings.Repeat(".", 2000) // so that the history does not reach back to the first snapshot
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	const changes = 2000
	var wg sync.WaitGroup
	wg.Go(func() {
		for range changes {
			s.change()
			runtime.Gosched()
			time.Sleep(500 * time.Microsecond)
		}
	})
	for i := range 16 {
		wg.Go(func() {
			lastID := ""
			for at := 0; at < 100+changes; {
				f := w.fan(lastID)
				if i%4 == 3 {
					f.at = 0 // it sends no position, and gets a snapshot
				}
				for f.at < 100+changes && f.at < at+150 {
					if err := f.next(); err != nil {
						if strings.Contains(err.Error(), "EOF") {
							break // cut off: it resumes
						}
						t.Error(err)
						return
					}
				}
				f.resp.Body.Close()
				at = max(at, f.at)
				lastID = ""
				if i%4 != 3 {
					lastID = strconv.Itoa(f.at)
				}
			}
		})
	}
	wg.Wait()
}

func TestSnapshotForLateWatchersIsFetchedOnce(t *testing.T) {
	w := newWorld(t)
	s := newSale()
	s.pad = strings.Repeat(".", 10_000)
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	first := w.fan("")
	for range 20 {
		s.change() // more than a watcher should read after an old snapshot
	}
	first.until(120)
	release := make(chan struct{})
	s.onSnapshot = func() { <-release }
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			f := w.fan("")
			f.until(121)
			if f.snapshots != 1 {
				t.Errorf("%d snapshots", f.snapshots)
			}
		})
	}
	testkit.Eventually(t, "a snapshot is being fetched", func() bool { return s.snapshots.Load() > 0 })
	s.change()
	close(release)
	wg.Wait()
	// One more for watchers that arrived after the first was answered, if it
	// was not recent enough.
	if n := s.snapshots.Load(); n > 2 || s.streams.Load() != 1 {
		t.Errorf("%d snapshots and %d streams for 51 watchers", n, s.streams.Load())
	}
}

func TestSnapshotThatIsOlderThanTheStreamIsFetchedAgain(t *testing.T) {
	w := newWorld(t)
	s := newSale()
	s.late = 5
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	continued := w.fan("100")
	s.change()
	continued.until(101)
	late := w.fan("")
	late.until(101)
	if late.snapshots != 1 || s.snapshots.Load() != 2 {
		t.Errorf("%d snapshots, %d were asked for", late.snapshots, s.snapshots.Load())
	}
}

func TestStreamGoesOnAtAnotherReplica(t *testing.T) {
	w := newWorld(t)
	s := newSale()
	replicas := []*replica{w.replica("booking-service", 0, s.ServeHTTP), w.replica("booking-service", 1, s.ServeHTTP)}
	w.start()
	one, two := w.fan(""), w.fan("")
	s.change()
	one.until(101)
	two.until(101)
	serving := 0
	if len(replicas[0].requests()) == 0 {
		serving = 1
	}
	replicas[serving].kill()
	s.change()
	one.until(102)
	s.change()
	one.until(103)
	two.until(103)
	if one.snapshots != 1 || two.snapshots != 1 {
		t.Errorf("%d and %d snapshots, want the first ones only", one.snapshots, two.snapshots)
	}
	if got := replicas[1-serving].requests(); len(got) != 1 || got[0].header.Get("Last-Event-ID") == "" {
		t.Errorf("the other replica was asked %v", got)
	}
}

func TestStreamEndsWhenNoReplicaHasIt(t *testing.T) {
	w := newWorld(t)
	s := newSale()
	r := w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	f := w.fan("")
	f.until(100)
	r.kill()
	if err := f.next(); !errors.Is(err, io.EOF) {
		t.Errorf("the stream ended with %v", err)
	}
	w.want(w.send("GET", streamPath, ""), http.StatusServiceUnavailable, "unavailable")
}

func TestStreamRefusedByBookingServiceIsItsAnswer(t *testing.T) {
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
		t.Errorf("%d requests, want one each: the answer may change", n)
	}
}

func TestSlowWatcherIsCutOffAndDelaysNobody(t *testing.T) {
	w := newWorld(t)
	s := newSale()
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
	quick := w.fan("")
	quick.until(100)
	testkit.Eventually(t, "both streams are open", func() bool { return w.metric("seat_stream_watchers") == 2 })
	// It exceeds all buffers on the way and the history many times over.
	for i := range 200 {
		s.change()
		quick.until(101 + i)
	}
	go func() { _, _ = io.Copy(io.Discard, slow) }()
	testkit.Eventually(t, "the slow watcher is cut off", func() bool { return w.metric("seat_stream_cut_off_total") >= 1 })
	testkit.Eventually(t, "its stream has ended", func() bool { return w.metric("seat_stream_watchers") == 1 })
	s.change()
	quick.until(301)
}

func TestAddressHasBoundedStreams(t *testing.T) {
	w := newWorld(t)
	s := newSale()
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
		s := newSale()
		w.replica("booking-service", 0, s.ServeHTTP)
		w.start()
		// Not with fan, whose context ends with this test.
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

// BenchmarkStream lets watchers follow one event, and changes it: ns/op is the
// time until the last watcher has a change; the other figures are per watcher,
// including clients.
func BenchmarkStream(b *testing.B) {
	const watchers = 2000
	w := newWorld(b)
	s := newSale()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.configure = func(c *config) { c.RateLimitAddress = 100_000 } // this benchmark does not limit requests
	w.start()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var seen sync.WaitGroup
	for range watchers {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET "+streamPath+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			b.Fatal(err)
		}
		seen.Add(1)
		go func() {
			in := make([]byte, 1024)
			for {
				n, err := conn.Read(in)
				if err != nil {
					return
				}
				for range strings.Count(string(in[:n]), "\nid: ") {
					seen.Done()
				}
			}
		}()
	}
	seen.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	memory := float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse) / watchers
	cpu := func() float64 {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1000
	}
	begin := cpu()
	for b.Loop() {
		seen.Add(watchers)
		s.change()
		seen.Wait()
	}
	b.ReportMetric((cpu()-begin)/float64(b.N)/watchers, "µs-CPU/watcher")
	b.ReportMetric(memory, "B/watcher")
}
