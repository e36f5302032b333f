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
	var queried atomic.Bool
	answer := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		queried.Store(true)
		select {
		case <-answer:
			consul.ServeHTTP(rw, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(slow.Close)
	w.configure = func(c *config) { c.ConsulAddr = slow.Listener.Addr().String() }
	w.launch()
	testkit.Eventually(t, "the gateway queries Consul", queried.Load)
	if w.Ready() {
		t.Error("ready before Consul has answered")
	}
	close(answer)
	w.AwaitReady(t)
}
