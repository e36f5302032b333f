package lifecycle

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// journal records events in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func TestPartsStopInReverse(t *testing.T) {
	var j journal
	g := &Group{}
	g.Close("store", func(context.Context) error { j.note("store closed"); return nil })
	for _, name := range []string{"producer", "consumer"} {
		g.Go(name, func(ctx context.Context) error {
			<-ctx.Done()
			j.note(name + " stopped")
			return nil
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- g.Run(ctx) }()
	for !g.Ready() {
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if want := []string{"consumer stopped", "producer stopped", "store closed"}; !slices.Equal(j.lines, want) {
		t.Errorf("got %v", j.lines)
	}
	if g.Ready() {
		t.Error("ready after the end")
	}
}

func TestFailureOfOnePartStopsAll(t *testing.T) {
	for name, failure := range map[string]error{"an error": errors.New("fatal"), "an end without one": nil} {
		t.Run(name, func(t *testing.T) {
			var j journal
			g := &Group{}
			g.Close("store", func(context.Context) error { j.note("closed"); return nil })
			g.Go("part", func(context.Context) error { return failure })
			err := g.Run(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), "part: ") {
				t.Errorf("error %v", err)
			}
			if len(j.lines) != 1 {
				t.Error("the store was left open")
			}
		})
	}
}

func TestServerFinishesWhatIsUnderWay(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &Group{}
	g.Serve("http", ln, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, "done")
	})})
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- g.Run(ctx) }()
	answer := make(chan string)
	go func() {
		req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, "http://"+ln.Addr().String(), nil)
		if err != nil {
			answer <- err.Error()
			return
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-entered
	cancel()
	close(leave)
	if got := <-answer; got != "done" {
		t.Errorf("the request under way was answered %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
