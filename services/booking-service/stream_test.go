package main

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

func TestStreamBeginsWithSnapshotAndContinues(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	open := func(last string) (*bufio.Reader, func()) {
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.replicas[1]+"/api/v1/events/"+def.EventID.String()+"/seats/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		token := s.signer.Sign(identity.Identity{Role: identity.Anonymous})
		req.Header.Set(identity.Header, token)
		req.Header.Set("Last-Event-ID", last)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(resp.Body), func() { cancel(); resp.Body.Close() }
	}
	next := func(r *bufio.Reader) (name, id, data string) {
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch key {
			case "event":
				name = value
			case "id":
				id = value
			case "data":
				return name, id, value
			}
		}
	}
	stream, stop := open("")
	name, at, _ := next(stream)
	if name != "snapshot" {
		t.Fatalf("first event: %s", name)
	}
	// Committed by another replica: it arrives by the feed.
	s.hold(t, 0, uuid.Must(uuid.NewV7()), "", seats(def.EventID, "2-5"))
	if name, _, data := next(stream); name != "delta" || !strings.Contains(data, `"2-5":"held"`) {
		t.Fatalf("got %s %s", name, data)
	}
	stop()
	again, stop := open(at)
	defer stop()
	// The first frame says that no snapshot will come.
	if line, err := again.ReadString('\n'); err != nil || line != "id: "+at+"\n" {
		t.Fatalf("continued with %q, %v", line, err)
	}
	if name, _, data := next(again); name != "delta" || !strings.Contains(data, `"2-5":"held"`) {
		t.Fatalf("continued with %s %s", name, data)
	}
}

func TestSnapshotHasETag(t *testing.T) {
	s := start3(t)
	def := s.sale(t, nil)
	path := "/api/v1/events/" + def.EventID.String() + "/seats"
	_, _, h := s.get(t, s.replicas[0], path, uuid.Nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.replicas[0]+path, bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	token := s.signer.Sign(identity.Identity{Role: identity.Anonymous})
	req.Header.Set(identity.Header, token)
	req.Header.Set("If-None-Match", h.Get("ETag"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNotModified {
		t.Errorf("If-None-Match: %d", resp.StatusCode)
	}
}
