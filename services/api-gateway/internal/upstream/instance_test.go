package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

func TestOpenBreakerProbesWithOneRequestAfterAPause(t *testing.T) {
	in := newInstance("a", "h:1")
	for range tripAfter {
		done, _ := in.breaker.Allow()
		done(fmt.Errorf("broken"))
	}
	if !in.open() {
		t.Fatal("not open after the failures")
	}
	if _, err := in.breaker.Allow(); err == nil {
		t.Fatal("an open breaker let a request through")
	}
	testkit.Eventually(t, "half open", func() bool { return !in.open() })
	done, err := in.breaker.Allow()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.breaker.Allow(); err == nil {
		t.Error("a second probe was let through")
	}
	done(nil)
	if _, err := in.breaker.Allow(); err != nil {
		t.Errorf("after a good probe: %v", err)
	}
}

func TestBreakerIgnoresRequestsWhoseClientLeft(t *testing.T) {
	arrived := make(chan struct{}, 1)
	f, _ := service(t, 1, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		hangs(w, r)
	})
	in := (*f.pools[route.Booking].instances.Load())[0]
	leave := func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			<-arrived
			cancel()
		}()
		patient := &route.Route{Method: http.MethodPost, Service: route.Booking, Timeout: time.Minute}
		_, err := f.Do(ctx, &Request{Route: patient, Path: "/", Header: http.Header{}})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("client left: %v", err)
		}
	}
	fail := func() {
		done, err := in.breaker.Allow()
		if err != nil {
			t.Fatal(err)
		}
		done(errors.New("broken"))
	}

	for range tripAfter {
		leave()
	}
	if in.open() {
		t.Fatal("clients that left counted as failures")
	}
	for range tripAfter - 1 {
		fail()
	}
	leave()
	fail()
	if !in.open() {
		t.Fatal("a client that left counted as a success between failures")
	}
	testkit.Eventually(t, "the breaker is half open", func() bool { return !in.open() })
	leave()
	if s := in.breaker.State(); s != gobreaker.StateHalfOpen {
		t.Errorf("a client that left as the probe made the breaker %s, want half open", s)
	}
}
