package main

import (
	"net/http"
	"testing"
)

func TestQueueFramesReachEveryWatcher(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	one, two := w.follow(queueStreamPath, ""), w.follow(queueStreamPath, "")
	for i := range 10 {
		one.readUntil(100 + i)
		two.readUntil(100 + i)
		s.append()
	}
	if one.snapshots != 10 || two.snapshots != 10 || s.streams.Load() != 1 {
		t.Errorf("%d and %d frames of 10, by %d streams", one.snapshots, two.snapshots, s.streams.Load())
	}
	if got := w.metric("queue_stream_watchers"); got != 2 {
		t.Errorf("queue_stream_watchers is %v", got)
	}
	if got := w.metric("seat_stream_watchers"); got != 0 {
		t.Errorf("seat_stream_watchers is %v", got)
	}
}

func TestLateQueueWatcherGetsOnlyTheNewestFrame(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	first := w.follow(queueStreamPath, "")
	for i := range 5 {
		first.readUntil(100 + i)
		s.append()
	}
	first.readUntil(105)
	for _, lastID := range []string{"", "99", "101", "9999"} {
		late := w.follow(queueStreamPath, lastID)
		late.at = 0
		late.readUntil(105)
		if late.snapshots != 1 {
			t.Errorf("Last-Event-ID %q: %d frames", lastID, late.snapshots)
		}
	}
	if n, m := s.streams.Load(), s.snapshots.Load(); n != 1 || m != 0 {
		t.Errorf("booking-service got requests for %d streams and %d snapshots", n, m)
	}
}

func TestLateQueueWatcherGetsASnapshotOfTheQueue(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	w.queue = s.ServeHTTP
	r := w.replica("booking-service", 0, s.ServeHTTP)
	w.start()
	w.follow(queueStreamPath, "100") // the stream resumes without a snapshot
	late := w.follow(queueStreamPath, "")
	late.readUntil(100)
	got := r.requests()
	if want := "/api/v1/events/" + queuedEvent + "/queue"; len(got) != 2 || got[1].uri != want {
		t.Errorf("booking-service got %v, want %s second", got, want)
	}
	s.append()
	late.readUntil(101)
}

func TestQueueStreamContinuesAtAnotherReplica(t *testing.T) {
	w := newWorld(t)
	s := newEventLog()
	replicas := []*replica{w.replica("booking-service", 0, s.ServeHTTP), w.replica("booking-service", 1, s.ServeHTTP)}
	w.start()
	watcher := w.follow(queueStreamPath, "")
	watcher.readUntil(100)
	serving := 0
	if len(replicas[0].requests()) == 0 {
		serving = 1
	}
	replicas[serving].kill()
	s.append()
	watcher.readUntil(101)
	if got := replicas[1-serving].requests(); len(got) != 1 || got[0].header.Get("Last-Event-ID") != "100" {
		t.Errorf("the other replica got %v", got)
	}
}

func TestQueueIsPublic(t *testing.T) {
	w := newWorld(t)
	w.queue = func(http.ResponseWriter, *http.Request) {}
	r := w.replica("booking-service", 0, nil)
	w.start()
	session, _ := w.login("customer")
	w.want(w.send("GET", "/api/v1/events/"+queuedEvent+"/queue", "", bearer(session)...), http.StatusOK, "")
	if got := r.requests()[0]; !got.id.IsAnonymous() {
		t.Errorf("the caller is %+v", got.id)
	}
}
