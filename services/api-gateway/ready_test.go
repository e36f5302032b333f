package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func TestNotReadyBeforeConsulHasAnswered(t *testing.T) {
	w := newWorld(t)
	consul := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: testkit.Consul(t)})
	var asked atomic.Bool
	answers := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked.Store(true)
		select {
		case <-answers:
			consul.ServeHTTP(rw, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(slow.Close)
	w.configure = func(c *config) { c.ConsulAddr = slow.Listener.Addr().String() }
	w.launch()
	testkit.Eventually(t, "the gateway asks", asked.Load)
	if w.ready() {
		t.Error("ready without having heard of anybody")
	}
	close(answers)
	testkit.Eventually(t, "the gateway is ready", w.ready)
}
