package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
)

func TestStreamPassesAtOnceAndEndsWithItsClient(t *testing.T) {
	w := newWorld(t)
	say, left := make(chan string), make(chan struct{}, 1)
	r := w.replica("booking-service", 0, func(rw http.ResponseWriter, req *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(rw).Flush()
		for {
			select {
			case s := <-say:
				fmt.Fprintf(rw, "data: %s\n\n", s)
				_ = http.NewResponseController(rw).Flush()
			case <-req.Context().Done():
				left <- struct{}{}
				return
			}
		}
	})
	w.start()
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/api/v1/events/e1/seats/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", "7")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	for _, s := range []string{"one", "two"} {
		say <- s
		// Blocks for ever if the gateway holds pieces back.
		if !lines.Scan() || lines.Text() != "data: "+s || !lines.Scan() {
			t.Fatalf("got %q", lines.Text())
		}
	}
	if got := r.requests()[0].header.Get("Last-Event-ID"); got != "7" {
		t.Errorf("Last-Event-ID %q", got)
	}
	leave()
	<-left
}

func TestStreamEndsWhenTheGatewayStops(t *testing.T) {
	ended := make(chan error, 1)
	ran := t.Run("gateway", func(t *testing.T) {
		w := newWorld(t)
		w.replica("booking-service", 0, func(rw http.ResponseWriter, req *http.Request) {
			_ = http.NewResponseController(rw).Flush()
			<-req.Context().Done()
		})
		w.start()
		resp, err := http.Get(w.url + "/api/v1/events/e1/seats/stream")
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
	// A stream that holds the stop up is cut in the end, not finished.
	if err := <-ended; err != nil {
		t.Errorf("the stream broke off: %v", err)
	}
}
