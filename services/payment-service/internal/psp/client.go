// Package psp is a client of the payment provider.
package psp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/psp"
	"github.com/frontrow-tickets/frontrow/pkg/observe"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

// Timeouts of calls to the provider: with a customer waiting, and by the
// reconciler.
const (
	callTimeout   = time.Second
	reportTimeout = 10 * time.Second
)

var callDuration = promauto.NewHistogramVec(prometheus.HistogramOpts{
	Name: "provider_request_duration_seconds", Help: "Duration of payment provider calls, by outcome: ok, refused, unknown.",
	Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
}, []string{"call", "outcome"})

// Client implements payment.Provider over HTTP.
type Client struct {
	base, key string
	http      *http.Client
}

// NewClient returns a client for the provider at base, such as
// http://host:port/psp/v1. It authenticates with key.
func NewClient(base, key string) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 128
	transport.MaxIdleConns = 128
	return &Client{base: base, key: key, http: &http.Client{Transport: transport}}
}

// Charge implements payment.Provider.
func (c *Client) Charge(ctx context.Context, key, method string, amount events.Money) (charge payment.Charge, err error) {
	err = c.call(ctx, "charge", callTimeout, http.MethodPost, "/charges", psp.ChargeRequest{Key: key, Method: method, Amount: amount}, &charge)
	return charge, err
}

// Lookup implements payment.Provider.
func (c *Client) Lookup(ctx context.Context, key string) (charge payment.Charge, err error) {
	err = c.call(ctx, "lookup", callTimeout, http.MethodGet, "/charges/by-key/"+url.PathEscape(key), nil, &charge)
	return charge, err
}

// Refund implements payment.Provider.
func (c *Client) Refund(ctx context.Context, key, chargeID string, amount events.Money) (time.Time, error) {
	var r psp.Refund
	err := c.call(ctx, "refund", callTimeout, http.MethodPost, "/refunds", psp.RefundRequest{Key: key, ChargeID: chargeID, Amount: amount}, &r)
	return r.CreatedAt, err
}

// Settled implements payment.Provider.
func (c *Client) Settled(ctx context.Context, from time.Time, fromID string, before time.Time, limit int) (charges []payment.Charge, err error) {
	q := url.Values{
		"from": {from.UTC().Format(time.RFC3339Nano)}, "from_id": {fromID},
		"before": {before.UTC().Format(time.RFC3339Nano)}, "limit": {strconv.Itoa(limit)},
	}
	err = c.call(ctx, "settled", reportTimeout, http.MethodGet, "/charges?"+q.Encode(), nil, &charges)
	return charges, err
}

// Ledger implements payment.Provider.
func (c *Client) Ledger(ctx context.Context, before time.Time) (ledger map[string]payment.Balance, err error) {
	q := url.Values{"before": {before.UTC().Format(time.RFC3339Nano)}}
	err = c.call(ctx, "ledger", reportTimeout, http.MethodGet, "/ledger?"+q.Encode(), nil, &ledger)
	return ledger, err
}

func (c *Client) call(ctx context.Context, name string, timeout time.Duration, method, path string, in, out any) (err error) {
	start := time.Now()
	defer func() {
		outcome := "ok"
		switch {
		case errors.Is(err, payment.ErrNoCharge), errors.Is(err, payment.ErrRejected):
			outcome = "refused"
		case err != nil:
			outcome = "unknown"
		}
		observe.Observe(ctx, callDuration.WithLabelValues(name, outcome), time.Since(start).Seconds())
	}()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}()
	switch {
	case resp.StatusCode == http.StatusNotFound && method == http.MethodGet:
		return payment.ErrNoCharge
	case resp.StatusCode == http.StatusConflict || resp.StatusCode == http.StatusUnprocessableEntity:
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return fmt.Errorf("%w: %s", payment.ErrRejected, bytes.TrimSpace(why))
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("provider answered %s", resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
