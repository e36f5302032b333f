// Package bookings is a client of booking-service.
package bookings

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/rendezvous"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

// answerTimeout limits the request to one replica; then the next one is tried.
const answerTimeout = 400 * time.Millisecond

// Client sends requests to the replicas of booking-service.
type Client struct {
	instances func() []consul.Instance
	signer    *identity.Signer
	http      *http.Client
}

// NewClient returns a client of the replicas returned by instances. It
// authenticates as a service with signer.
func NewClient(instances func() []consul.Instance, signer *identity.Signer) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &Client{instances: instances, signer: signer, http: &http.Client{Timeout: answerTimeout, Transport: transport}}
}

// Held returns a user's held booking. It asks the owner of the booking's event
// first: any replica can answer, but the others may have to load the event.
// Errors: *payment.NotPayableError for a booking that has ended;
// payment.ErrNotFound; any other error means that no replica answered, which
// says nothing about the booking.
func (c *Client) Held(ctx context.Context, user, id uuid.UUID) (b events.BookingCreated, err error) {
	token := c.signer.Sign(identity.Identity{UserID: user, Role: identity.Service})
	instances, key := slices.Clone(c.instances()), rendezvous.Event(id)
	slices.SortFunc(instances, func(a, b consul.Instance) int {
		return cmp.Compare(rendezvous.Score(key, rendezvous.Hash(b.ID)), rendezvous.Score(key, rendezvous.Hash(a.ID)))
	})
	err = errors.New("no known replica of booking-service")
	for _, i := range instances {
		b, err = c.fetch(ctx, i.Addr, token, id)
		var ended *payment.NotPayableError
		if err == nil || errors.As(err, &ended) || errors.Is(err, payment.ErrNotFound) || ctx.Err() != nil {
			break
		}
	}
	return b, err
}

func (c *Client) fetch(ctx context.Context, addr, token string, id uuid.UUID) (b events.BookingCreated, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+events.HeldBookings+id.String(), http.NoBody)
	if err != nil {
		return b, err
	}
	req.Header.Set(identity.Header, token)
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(req.Header))
	resp, err := c.http.Do(req)
	if err != nil {
		return b, err
	}
	defer func() { _ = resp.Body.Close() }()
	body := json.NewDecoder(io.LimitReader(resp.Body, 64<<10))
	switch resp.StatusCode {
	case http.StatusOK:
		if err := body.Decode(&b); err != nil {
			return b, err
		}
		if b.BookingID != id || b.UserID == uuid.Nil || b.Total.Currency == "" || b.ExpiresAt.IsZero() {
			return b, fmt.Errorf("booking-service returned an unexpected booking: %+v", b)
		}
		return b, nil
	case http.StatusConflict:
		var refusal struct {
			Status string `json:"booking_status"`
		}
		if err := body.Decode(&refusal); err != nil {
			return b, err
		}
		return b, &payment.NotPayableError{Status: refusal.Status}
	case http.StatusNotFound:
		var refusal struct{ Code string }
		if err := body.Decode(&refusal); err == nil && refusal.Code == "not_found" {
			return b, payment.ErrNotFound
		}
		fallthrough
	default:
		return b, fmt.Errorf("booking-service answered %s", resp.Status)
	}
}
