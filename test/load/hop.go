package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

// A hop measures the minimum cost of a request through a gateway: a net/http
// server behind a net/http proxy, both with nothing else. Each is a separate
// process, this program with -hop.

// serveHop runs such a process: a proxy to the address, or the server if it is
// empty. It prints its address, and exits when its standard input is closed.
func serveHop(to string) error {
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	})
	if to != "server" {
		handler = &httputil.ReverseProxy{
			Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: to}) },
			Transport: &http.Transport{MaxIdleConns: 4096, MaxIdleConnsPerHost: 4096, DisableCompression: true},
		}
	}
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// startHop starts a server and a proxy in front of it. They end with this
// process, or when stop is called.
func startHop(ctx context.Context) (target *openloop.Target, stop func(), err error) {
	server, stopServer, err := startHopProcess(ctx, "server")
	if err != nil {
		return nil, nil, err
	}
	proxy, stopProxy, err := startHopProcess(ctx, server)
	if err == nil {
		target, err = openloop.NewTarget(proxy)
	}
	stop = func() {
		if stopProxy != nil {
			stopProxy()
		}
		stopServer()
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	return target, stop, nil
}

func startHopProcess(ctx context.Context, to string) (address string, stop func(), err error) {
	program, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	command := exec.CommandContext(ctx, program, "-hop", to) //nolint:gosec // this program
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := command.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = in.Close(); _ = command.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("start hop: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}

// hop sends the same requests as noop through a bare hop.
func (b *bench) hop(ctx context.Context, round int, target *openloop.Target) error {
	_, err := b.slice(ctx, "compare", kindHop, round, 0, func() (openloop.Result, openloop.Summary, error) {
		run := saturate(sliceLength)
		run.Request = func(buf []byte, i int) []byte { return b.wire.hold(buf, noopPath, &b.sold[(i*31)%len(b.sold)]) }
		result := target.Do(ctx, run)
		return result, openloop.Summarize(result, ok), nil
	})
	return err
}
