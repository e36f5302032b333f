package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
)

const (
	waitingEvent = "0193b3a0-3333-7abc-8def-000000000003"
	waitingPath  = "/api/v1/events/" + waitingEvent + "/queue/stream"
)

// queueSource is a booking-service with one queue. Its version is 0 until begin is closed, and grows once a second
// from then on.
type queueSource struct{ begin chan struct{} }

// ServeHTTP serves the queue's stream.
func (s *queueSource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != waitingPath {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	queue := client.Queue{
		EventID: waitingEvent, Mode: "always", State: "open", Required: true, SeatsAvailable: 20_000,
		SeedHash: strings.Repeat("5e", 32), Seed: strings.Repeat("7a", 32),
		OpensAt: time.Now(), SaleStartsAt: time.Now(),
	}
	queue.Lanes.General.Last, queue.Lanes.General.Waiting, queue.Lanes.General.Drawn = 200_000, 200_000, 150_000
	heartbeat, frame := time.NewTicker(15*time.Second), time.NewTicker(time.Second)
	defer heartbeat.Stop()
	defer frame.Stop()
	begun := false
	write := func() {
		data, _ := json.Marshal(queue)
		_, _ = fmt.Fprintf(w, "event: snapshot\nid: %d\ndata: %s\n\n", queue.Version, data)
	}
	for write(); http.NewResponseController(w).Flush() == nil; {
		select {
		case <-r.Context().Done():
			return
		case <-heartbeat.C:
			_, _ = io.WriteString(w, ": heartbeat\n\n")
		case <-frame.C:
			select {
			case <-s.begin:
				begun = true
			default:
			}
			if begun {
				queue.Version++
				queue.Lanes.General.Serving += 100
				write()
			}
		}
	}
}

// waitingGateway is a gateway process.
type waitingGateway struct {
	public, admin string
	command       *exec.Cmd
	source        *http.Server
}

// startGateway starts a gateway, whose only service is source, and returns when it is ready.
func startGateway(ctx context.Context, program string, source http.Handler) (*waitingGateway, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	var free [2]string
	for i := range free {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		free[i] = l.Addr().String()
		l.Close()
	}
	g := &waitingGateway{
		public: free[0], admin: free[1], command: exec.CommandContext(ctx, program),
		source: &http.Server{Handler: source, ReadHeaderTimeout: time.Second},
	}
	go func() { _ = g.source.Serve(listener) }()
	const nobody = "127.0.0.1:1"
	services := "booking-service=" + listener.Addr().String()
	g.command.Env = append(os.Environ(), "HTTP_ADDR="+g.public, "ADMIN_ADDR="+g.admin, "PPROF=true", "LOG_LEVEL=warn",
		"RATE_LIMIT_ADDRESS=1000000", "REDIS_URL=redis://"+nobody)
	for _, service := range []string{"auth", "event", "booking", "payment", "notification"} {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		g.command.Env = append(g.command.Env,
			"IDENTITY_KEYS_"+strings.ToUpper(service)+"="+base64.StdEncoding.EncodeToString(key))
		if service != "booking" {
			services += "," + service + "-service=" + nobody
		}
	}
	g.command.Env = append(g.command.Env, "DISCOVERY_DNS="+services)
	g.command.Stderr = os.Stderr
	if err := g.command.Start(); err != nil {
		return nil, fmt.Errorf("start gateway: %w", err)
	}
	err = poll(ctx, time.Minute, "the gateway to be ready", func() bool {
		_, err := g.get(ctx, "/readyz")
		return err == nil
	})
	if err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

func (g *waitingGateway) pid() int { return g.command.Process.Pid }

func (g *waitingGateway) stop() {
	_ = g.command.Process.Kill()
	_ = g.command.Wait()
	_ = g.source.Close()
}

// print prints the gateway's memory.
func (g *waitingGateway) print(ctx context.Context, out io.Writer) error {
	total, err := resident(g.pid())
	if err != nil {
		return err
	}
	metrics, err := g.get(ctx, "/metrics")
	if err != nil {
		return err
	}
	profile, err := g.get(ctx, "/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return err
	}
	live, err := heapAlloc(strings.NewReader(profile))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "gateway: %d MB resident, live heap %d MB, stacks %.0f MB, %.0f goroutines, %.0f watchers\n", total>>20, live>>20,
		metric(metrics, "go_memstats_stack_inuse_bytes")/(1<<20), metric(metrics, "go_goroutines"),
		metric(metrics, "queue_stream_watchers"))
	return nil
}

func (g *waitingGateway) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.admin+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("get %s from gateway: %s", path, resp.Status)
	}
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// metric returns the value of a metric without labels.
func metric(text, name string) float64 {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			v, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return v
		}
	}
	return 0
}
