// Package bookings is a client of booking-service.
package bookings

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/peer"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
)

// answerTimeout limits the request to one replica; then the next one is tried.
const answerTimeout = 400 * time.Millisecond

// Client sends requests to the replicas of booking-service.
type Client struct{ peer *peer.Client }

// NewClient returns a client of the replicas returned by instances. It
// authenticates as a service with signer.
func NewClient(instances func() []consul.Instance, signer *identity.Signer) *Client {
	return &Client{peer.NewClient("booking-service", instances, signer, answerTimeout)}
}

// Held returns a user's held booking. It asks the owner of the booking's event
// first: any replica can answer, but the others may have to load the event.
// Errors: *payment.NotPayableError for a booking that has ended;
// payment.ErrNotFound; any other error means that no replica answered, which
// says nothing about the booking.
func (c *Client) Held(ctx context.Context, user, id uuid.UUID) (events.BookingCreated, error) {
	caller := identity.Identity{UserID: user, Role: identity.Service}
	b, err := peer.Get(ctx, c.peer, caller, events.HeldBookings, id, func(b events.BookingCreated) bool {
		return b.BookingID == id && b.UserID != uuid.Nil && b.Total.Currency != "" && !b.ExpiresAt.IsZero()
	})
	var refusal *peer.Refusal
	if !errors.As(err, &refusal) {
		return b, err
	}
	if refusal.Status == http.StatusNotFound {
		return b, payment.ErrNotFound
	}
	var problem struct {
		Status string `json:"booking_status"`
	}
	if err := json.Unmarshal(refusal.Body, &problem); err != nil {
		return b, err
	}
	return b, &payment.NotPayableError{Status: problem.Status}
}
