package e2e

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// purchases is the number of purchases: every second request is traced.
const purchases = 12

// One trace connects the buyer's request to the confirmation of the booking:
// through the gateway, payment-service, Kafka and booking-service.
func TestATraceLeadsFromThePaymentToTheConfirmation(t *testing.T) {
	spans := collect(t)
	s := newSale(t, nil)
	ctx := t.Context()
	for i := range purchases {
		buyer := newBuyer(t)
		booking := must(buyer.Hold(ctx, s.seats(fmt.Sprintf("1-%d", i)), ""))(t)
		must(buyer.Pay(ctx, booking.ID, "pm_ok", ""))(t)
		awaitBooking(t, buyer, booking.ID, "confirmed")
	}
	want := []string{
		"api-gateway: POST /api/v1/payments", "payment-service: POST /api/v1/payments", "payment-service: send payment_processed",
		"booking-service: process payment_processed",
	}
	spans.await(t, want)
}

// TestATraceLeadsFromTheHoldToPaymentService covers the other direction over
// Kafka.
func TestATraceLeadsFromTheHoldToPaymentService(t *testing.T) {
	spans := collect(t)
	s := newSale(t, nil)
	for i := range purchases {
		must(newBuyer(t).Hold(t.Context(), s.seats(fmt.Sprintf("1-%d", i)), ""))(t)
	}
	want := []string{
		"api-gateway: POST /api/v1/bookings", "booking-service: POST /api/v1/bookings", "booking-service: send booking_created",
		"payment-service: receive booking_created",
	}
	spans.await(t, want)
}

// await waits for a trace with these steps, each a descendant of the previous
// one.
func (c *collected) await(t *testing.T, steps []string) {
	t.Helper()
	testkit.Eventually(t, "a trace by "+strings.Join(steps, ", "), func() bool {
		return slices.ContainsFunc(c.pathsTo(steps[len(steps)-1]), func(path []string) bool { return containsInOrder(path, steps) })
	})
}

func containsInOrder(path, want []string) bool {
	for _, step := range path {
		if len(want) > 0 && step == want[0] {
			want = want[1:]
		}
	}
	return len(want) == 0
}

// collected holds the spans sent by the services, by trace and span.
type collected struct {
	mu    sync.Mutex
	spans map[string]span
}

type span struct{ name, parent string }

// collect receives spans by OTLP over HTTP until the test ends.
func collect(t *testing.T) *collected {
	t.Helper()
	addr := os.Getenv("FRONTROW_OTLP")
	if addr == "" {
		t.Fatal("FRONTROW_OTLP must say where the services send their traces")
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &collected{spans: map[string]span{}}
	server := &http.Server{Handler: http.HandlerFunc(c.take)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return c
}

func (c *collected) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var request collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &request) != nil {
		http.Error(w, "not a request of OTLP", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.GetResourceSpans() {
		service := serviceOf(resource)
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans[string(s.GetTraceId())+string(s.GetSpanId())] = span{service + ": " + s.GetName(), string(s.GetTraceId()) + string(s.GetParentSpanId())}
			}
		}
	}
}

func serviceOf(resource *tracepb.ResourceSpans) string {
	for _, a := range resource.GetResource().GetAttributes() {
		if a.GetKey() == "service.name" {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// pathsTo returns, for each span with a name, the names from its trace's root
// to it, as far as they have arrived.
func (c *collected) pathsTo(name string) (paths [][]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range maps.Values(c.spans) {
		if s.name != name {
			continue
		}
		path := []string{s.name}
		for at, ok := c.spans[s.parent]; ok; at, ok = c.spans[at.parent] {
			path = append(path, at.name)
		}
		slices.Reverse(path)
		paths = append(paths, path)
	}
	return paths
}
