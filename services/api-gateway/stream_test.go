package main

import (
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestWatchersShareAStreamThatEndsWithTheLast(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	one, two := w.watch(""), w.watch("")
	one.readUntil(100)
	two.readUntil(100)
	for i := range 20 {
		s.append()
		// Blocks forever if the gateway holds back changes.
		one.readUntil(101 + i)
		two.readUntil(101 + i)
	}
	if one.all.String() != two.all.String() {
		t.Errorf("two watchers got\n%s\nand\n%s", &one.all, &two.all)
	}
	if n, m := s.streams.Load(), s.snapshots.Load(); n != 1 || m != 0 {
		t.Errorf("booking-service got requests for %d streams and %d snapshots", n, m)
	}
	one.resp.Body.Close()
	s.append()
	two.readUntil(121)
	two.resp.Body.Close()
	<-s.left
}

func TestHeartbeatsReachEveryWatcher(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	clients := []*streamClient{w.watch(""), w.watch("")}
	for _, f := range clients {
		f.readUntil(100)
	}
	s.append()
	for _, f := range clients {
		f.readUntil(101)
	}
	var got atomic.Int64
	for _, f := range clients {
		go func() {
			if frame, _ := f.frame(); frame == ": heartbeat\n\n" {
				got.Add(1)
			}
		}()
	}
	testkit.Eventually(t, "both have a heartbeat", func() bool {
		// Again: a watcher that is being written to may be skipped.
		select {
		case s.heartbeat <- struct{}{}:
		default:
		}
		return got.Load() == 2
	})
}

func TestStreamResumesAfterLastEventID(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	for range 5 {
		s.append()
	}
	first := w.watch("102") // booking-service still has it
	first.readUntil(105)
	s.append()
	first.readUntil(106)
	again := w.watch("104") // the gateway still has it
	again.readUntil(106)
	s.append()
	again.readUntil(107)
	if first.snapshots+again.snapshots > 0 || s.streams.Load() != 1 || s.snapshots.Load() > 0 {
		t.Errorf("continued with %d and %d snapshots, %d streams", first.snapshots, again.snapshots, s.streams.Load())
	}
	for _, unknown := range []string{"7", "9999", "x", "-1"} {
		f := w.watch(unknown)
		f.at = 0
		f.readUntil(107)
		if f.snapshots != 1 {
			t.Errorf("Last-Event-ID %s: %d snapshots", unknown, f.snapshots)
		}
	}
	if n := s.snapshots.Load(); n != 1 {
		t.Errorf("booking-service got requests for %d snapshots", n)
	}
}

func TestStreamSkipsNoChange(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	s.pad = strings.Repeat(".", 2000) // so that the history does not reach back to the first snapshot
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	const changes = 2000
	var wg sync.WaitGroup
	wg.Go(func() {
		for range changes {
			s.append()
			runtime.Gosched()
			time.Sleep(500 * time.Microsecond)
		}
	})
	for i := range 16 {
		wg.Go(func() {
			lastID := ""
			for at := 0; at < 100+changes; {
				f := w.watch(lastID)
				if i%4 == 3 {
					f.at = 0 // it sends no position, and gets a snapshot
				}
				for f.at < 100+changes && f.at < at+150 {
					if err := f.next(); err != nil {
						if strings.Contains(err.Error(), "EOF") {
							break // disconnected: it resumes
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

func TestLateWatchersShareASnapshot(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	s.pad = strings.Repeat(".", 10_000)
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	first := w.watch("")
	for range 20 {
		s.append() // more than a watcher should read after an old snapshot
	}
	first.readUntil(120)
	release := make(chan struct{})
	s.beforeSnapshot = func() { <-release }
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			f := w.watch("")
			f.readUntil(121)
			if f.snapshots != 1 {
				t.Errorf("%d snapshots", f.snapshots)
			}
		})
	}
	testkit.Eventually(t, "a snapshot is being fetched", func() bool { return s.snapshots.Load() > 0 })
	s.append()
	close(release)
	wg.Wait()
	// One more for watchers that arrived after the first was answered, if it
	// was not recent enough.
	if n := s.snapshots.Load(); n > 2 || s.streams.Load() != 1 {
		t.Errorf("%d snapshots and %d streams for 51 watchers", n, s.streams.Load())
	}
}

func TestSnapshotOlderThanTheStreamIsFetchedAgain(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	s.lag = 5
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	continued := w.watch("100")
	s.append()
	continued.readUntil(101)
	late := w.watch("")
	late.readUntil(101)
	if late.snapshots != 1 || s.snapshots.Load() != 2 {
		t.Errorf("%d snapshots, %d requests for them", late.snapshots, s.snapshots.Load())
	}
}
