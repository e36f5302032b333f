package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

const dashboards = "../../charts/frontrow/files/dashboards"

// scraped maps jobs to the variables with their metrics addresses.
var scraped = map[string]string{
	"api-gateway": "FRONTROW_API_GATEWAY_ADMIN", "auth-service": "FRONTROW_AUTH_SERVICE_ADMIN", "event-service": "FRONTROW_EVENT_SERVICE_ADMIN",
	"booking-service":      "FRONTROW_BOOKING_SERVICE_1_ADMIN FRONTROW_BOOKING_SERVICE_2_ADMIN FRONTROW_BOOKING_SERVICE_3_ADMIN",
	"payment-service":      "FRONTROW_PAYMENT_SERVICE_1_ADMIN FRONTROW_PAYMENT_SERVICE_2_ADMIN",
	"notification-service": "FRONTROW_NOTIFICATION_SERVICE_ADMIN",
	"psp-simulator":        "FRONTROW_PSP_SIMULATOR_ADMIN",
}

// Every query of every dashboard finds something in a Prometheus that scrapes
// the running system during a sale. The test saves an image of the panels.
func TestDashboardsHaveData(t *testing.T) {
	begin := time.Now()
	prometheus := startPrometheus(t)
	s := newSale(t, nil)
	newSale(t, func(e *client.NewEvent) { e.Queue = client.QueueSettings{Mode: "always"} }) // for the panels of queues
	winner, loser := newBuyer(t), newBuyer(t)
	selling, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for seat := 0; selling.Err() == nil; seat++ {
			sellAndRefuse(selling, s, fmt.Sprintf("1-%d", seat%100), winner, loser)
		}
	}()
	defer func() { stop(); <-done }()
	for query, panel := range queriesOf(t, dashboards) {
		testkit.Eventually(t, "data for "+panel+": "+query, func() bool {
			n, err := prometheus.series(t.Context(), query)
			if err != nil {
				t.Fatalf("%s: %v\n%s", panel, err, query)
			}
			return n > 0
		})
	}
	drawPanels(t, prometheus, readDashboard(t, dashboards+"/on-sale.json"), begin, "../../.run/on-sale.png")
}

// sellAndRefuse holds a seat, has another buyer refused, pays for it after a
// declined attempt, and cancels. If a step fails, it retries with the next
// seat.
func sellAndRefuse(ctx context.Context, s sale, seat string, winner, loser account) {
	booking, err := winner.Hold(ctx, s.seats(seat), "")
	if err != nil {
		return
	}
	_, _ = loser.Hold(ctx, s.seats(seat), "")
	_, _ = winner.Pay(ctx, booking.ID, "pm_declined", "")
	// The request is refused until the first payment has failed.
	retryBriefly(func() bool {
		_, err := winner.Pay(ctx, booking.ID, "pm_ok", "")
		return err == nil
	})
	retryBriefly(func() bool {
		now, err := winner.Booking(ctx, booking.ID)
		return err == nil && now.Status == "confirmed"
	})
	_, _ = winner.CancelBooking(ctx, booking.ID)
}

// retryBriefly retries something for at most some seconds.
func retryBriefly(done func() bool) {
	for range 50 {
		if done() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// queriesOf returns the queries of the dashboards in a folder, each with its
// panel.
func queriesOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards in %s: %v", folder, err)
	}
	queries := map[string]string{}
	for _, file := range files {
		board := readDashboard(t, file)
		for _, panel := range board.Panels {
			for _, target := range panel.Targets {
				queries[query(target.Expr)] = board.Title + ", " + panel.Title
			}
		}
	}
	return queries
}

type prometheusServer struct{ addr string }

// startPrometheus starts a Prometheus that scrapes all services every second,
// until the test ends.
func startPrometheus(t *testing.T) prometheusServer {
	t.Helper()
	folder, addr := t.TempDir(), testkit.FreeAddr(t)
	config, processes := "global: {scrape_interval: 1s}\nscrape_configs:\n", 0
	for job, variables := range scraped {
		var targets []string
		for variable := range strings.FieldsSeq(variables) {
			targets = append(targets, fmt.Sprintf("%q", os.Getenv(variable)))
		}
		processes += len(targets)
		config += fmt.Sprintf("  - {job_name: %s, static_configs: [{targets: [%s]}]}\n", job, strings.Join(targets, ", "))
	}
	file := filepath.Join(folder, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(folder, "data"),
		"--web.listen-address="+addr, "--log.level=error")
	command.Stderr = os.Stderr
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	if err := command.Start(); err != nil {
		t.Fatalf("Prometheus can't be started: %v", err)
	}
	t.Cleanup(func() { _ = command.Wait() })
	server := prometheusServer{addr}
	testkit.Eventually(t, "Prometheus is ready", func() bool {
		n, err := server.series(t.Context(), "up == 1")
		return err == nil && n == processes
	})
	return server
}

// series returns the number of series a query finds.
func (p prometheusServer) series(ctx context.Context, query string) (int, error) {
	var result []json.RawMessage
	err := p.ask(ctx, "/api/v1/query", url.Values{"query": {query}}, &result)
	return len(result), err
}

// ask decodes the result of a query.
func (p prometheusServer) ask(ctx context.Context, path string, parameters url.Values, result any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+path+"?"+parameters.Encode(), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Error string `json:"error"`
		Data  struct {
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return fmt.Errorf("prometheus: %s", answer.Error)
	}
	return json.Unmarshal(answer.Data.Result, result)
}
