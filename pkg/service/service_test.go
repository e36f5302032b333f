package service_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caarlos0/env/v11"

	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/pkg/service/servicetest"
)

// started runs a service with one part, the handler, and what add adds.
func started(t *testing.T, handler http.Handler, add func(*service.Process)) *servicetest.Instance {
	t.Helper()
	cfg := servicetest.Config()
	return servicetest.Start(t, &cfg, func(ctx context.Context) error {
		s, err := service.New(ctx, "test-service", &cfg)
		if err != nil {
			return err
		}
		add(s)
		return s.Run(ctx, handler)
	})
}

func get(t *testing.T, url string) (status int, body string, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

func TestServiceFinishesRequestsThenStopsPartsThenAdmin(t *testing.T) {
	var mu sync.Mutex
	var journal []string
	note := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		journal = append(journal, line)
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		note("request finished")
		_, _ = io.WriteString(w, "done")
	})
	var p *servicetest.Instance
	p = started(t, handler, func(s *service.Process) {
		s.Close("store", func(ctx context.Context) error {
			note("store closed")
			if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.Public); err == nil {
				conn.Close()
				t.Error("the public listener is open while the store closes")
			}
			if status, _, err := get(t, "http://"+p.Admin+"/readyz"); status != http.StatusServiceUnavailable {
				t.Errorf("/readyz while the store closes: %d %v", status, err)
			}
			return nil
		})
		s.Go("consumer", func(ctx context.Context) error {
			<-ctx.Done()
			note("consumer stopped")
			return nil
		})
		s.Server.RegisterOnShutdown(func() {
			note("shutdown began")
			close(leave)
		})
	})
	p.AwaitReady(t)
	answer := make(chan string, 1)
	go func() {
		_, body, err := get(t, "http://"+p.Public)
		if err != nil {
			body = err.Error()
		}
		answer <- body
	}()
	<-entered
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if got := <-answer; got != "done" {
		t.Errorf("the request in flight was answered %q", got)
	}
	want := []string{"shutdown began", "request finished", "consumer stopped", "store closed"}
	if !slices.Equal(journal, want) {
		t.Errorf("got %q", journal)
	}
	if _, _, err := get(t, "http://"+p.Admin+"/healthz"); err == nil {
		t.Error("the admin listener is open after the end")
	}
}

func TestServiceIsReadyWhenItsOwnConditionHolds(t *testing.T) {
	var prepared atomic.Bool
	p := started(t, http.NotFoundHandler(), func(s *service.Process) {
		s.Ready = prepared.Load
		s.Admin.HandleFunc("GET /debug/own", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "own") })
	})
	if p.Ready() {
		t.Error("ready before its condition holds")
	}
	prepared.Store(true)
	p.AwaitReady(t)
	if _, body, err := get(t, "http://"+p.Admin+"/debug/own"); body != "own" {
		t.Errorf("a route of its own on the admin listener: %q %v", body, err)
	}
}

func TestProfilesAreServedOnlyIfEnabled(t *testing.T) {
	for value, want := range map[string]int{"": http.StatusNotFound, "false": http.StatusNotFound, "true": http.StatusOK} {
		t.Setenv("HTTP_ADDR", "127.0.0.1:0")
		t.Setenv("ADMIN_ADDR", "127.0.0.1:0")
		t.Setenv("PPROF", value)
		cfg, err := env.ParseAs[service.Config]()
		if err != nil {
			t.Fatal(err)
		}
		p := servicetest.Start(t, &cfg, func(ctx context.Context) error {
			s, err := service.New(ctx, "test-service", &cfg)
			if err != nil {
				return err
			}
			return s.Run(ctx, http.NotFoundHandler())
		})
		p.AwaitReady(t)
		for path, want := range map[string]int{
			"/debug/pprof/": want, "/debug/pprof/heap": want, "/debug/pprof/cmdline": want, "/metrics": http.StatusOK,
		} {
			if status, _, err := get(t, "http://"+p.Admin+path); status != want {
				t.Errorf("PPROF=%s: %s: %d %v, want %d", value, path, status, err, want)
			}
		}
	}
}

func TestServiceThatCannotListenSaysWhichAddress(t *testing.T) {
	for variable, change := range map[string]func(cfg *service.Config, taken string){
		"HTTP_ADDR":  func(cfg *service.Config, taken string) { cfg.HTTPAddr = taken },
		"ADMIN_ADDR": func(cfg *service.Config, taken string) { cfg.AdminAddr = taken },
	} {
		taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		cfg := servicetest.Config()
		change(&cfg, taken.Addr().String())
		s, err := service.New(t.Context(), "test-service", &cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context(), nil); err == nil || !strings.HasPrefix(err.Error(), variable) {
			t.Errorf("%s is taken: %v", variable, err)
		}
	}
}

func TestDefaultsComeFromNameAndAddress(t *testing.T) {
	for want, cfg := range map[[2]string]service.Config{
		{"test-service-8081", ":8081"}: {HTTPAddr: ":8081"},
		{"test-service-80", "node:80"}: {HTTPAddr: ":8081", AdvertiseAddr: "node:80"},
		{"mine", "127.0.0.1:8081"}:     {HTTPAddr: "127.0.0.1:8081", InstanceID: "mine"},
	} {
		cfg.LogLevel = "error"
		if _, err := service.New(t.Context(), "test-service", &cfg); err != nil {
			t.Fatal(err)
		}
		if got := [2]string{cfg.InstanceID, cfg.AdvertiseAddr}; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
