// Package servicetest runs whole services in tests.
package servicetest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// Config returns the configuration of a service that listens on free ports of
// 127.0.0.1 and logs errors only.
func Config() service.Config {
	return service.Config{HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", LogLevel: "error"}
}

// Instance is a running service.
type Instance struct {
	// Public and Admin are the listeners' host:port.
	Public, Admin string
	// Stop ends the service as SIGTERM does, and returns when and as it has
	// ended. It may be called again.
	Stop func() error
}

// Run calls run, which must use cfg, and returns when the service listens.
func Run(cfg *service.Config, run func(context.Context) error) (*Instance, error) {
	i := &Instance{}
	listening, ended := make(chan struct{}), make(chan error, 1)
	cfg.Listening = func(public, admin net.Addr) {
		i.Public, i.Admin = public.String(), admin.String()
		close(listening)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- run(ctx) }()
	i.Stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	select {
	case <-listening:
		return i, nil
	case err := <-ended:
		cancel()
		return nil, err
	}
}

// Start is Run until the test ends. The service must end without an error.
func Start(t testing.TB, cfg *service.Config, run func(context.Context) error) *Instance {
	t.Helper()
	i, err := Run(cfg, run)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	t.Cleanup(func() {
		if err := i.Stop(); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return i
}

// Ready reports whether the service is ready.
func (i *Instance) Ready() bool {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+i.Admin+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// AwaitReady waits until the service is ready.
func (i *Instance) AwaitReady(t testing.TB) {
	t.Helper()
	testkit.Eventually(t, "the service is ready", i.Ready)
}
