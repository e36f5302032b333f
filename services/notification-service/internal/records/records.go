// Package records fetches what a mail says from auth-service and
// booking-service.
package records

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/peer"
)

// ErrNotFound means that the service has no such record.
var ErrNotFound = errors.New("record not found")

// Client fetches records. Errors other than ErrNotFound mean that no replica
// answered.
type Client struct{ Auth, Booking *peer.Client }

// Account returns a person's account. Error: ErrNotFound if it was deleted.
func (c *Client) Account(ctx context.Context, user uuid.UUID) (events.Account, error) {
	return get(ctx, c.Auth, events.Accounts, user, func(a events.Account) bool {
		return a.UserID == user && a.Email != ""
	})
}

// BookingRecord returns a booking. Error: ErrNotFound.
func (c *Client) BookingRecord(ctx context.Context, id uuid.UUID) (events.BookingRecord, error) {
	return get(ctx, c.Booking, events.BookingRecords, id, func(b events.BookingRecord) bool {
		return b.BookingID == id && b.UserID != uuid.Nil && b.Status != ""
	})
}

func get[T any](ctx context.Context, c *peer.Client, path string, id uuid.UUID, valid func(T) bool) (T, error) {
	record, err := peer.Get(ctx, c, identity.Identity{Role: identity.Service}, path, id, valid)
	var refusal *peer.Refusal
	if errors.As(err, &refusal) && refusal.Status == http.StatusNotFound {
		return record, ErrNotFound
	}
	return record, err
}
