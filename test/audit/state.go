package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// State is everything that the stores have about one event.
type State struct {
	// Owners maps each seat id to its owner: a booking's id, or the zero UUID
	// if free.
	Owners   map[string]uuid.UUID
	Bookings []StoredBooking
	// SoldTwice and Inconsistent are as in Report.
	SoldTwice, Inconsistent []string
	Payments                []StoredPayment
	// Known maps booking ids to payment-service's copies.
	Known map[uuid.UUID]KnownBooking
}

// StoredBooking is a booking according to the log.
type StoredBooking struct {
	ID     uuid.UUID
	UserID uuid.UUID
	// Status may be unknown: a booking that was paid for but never held.
	Status      string
	Reason      string
	CreatedAt   time.Time
	ExpiresAt   time.Time
	ConfirmedAt *time.Time
	EndedAt     *time.Time
	// Total is the price of the seats in minor units.
	Total   int64
	Seats   []string
	Payment *BookingPayment
	// Unsent reports whether some of its messages may still have to be sent.
	Unsent bool

	positions []uint32
	// seq is the last entry that changed the booking.
	seq int64
}

// BookingPayment is the latest payment of a booking according to the log.
type BookingPayment struct {
	ID uuid.UUID
	// Status is succeeded, failed, refunding or refunded.
	Status string
}

// Live reports whether the booking owns its seats.
func (b *StoredBooking) Live() bool { return b.Status == "held" || b.Status == "confirmed" }

// StoredPayment is a payment and the provider's charge for it.
type StoredPayment struct {
	ID, BookingID uuid.UUID
	Status        string
	Amount        int64
	// Captured and Refunded are the provider's amounts, in minor units.
	Captured, Refunded int64
}

// KnownBooking is payment-service's copy of a booking.
type KnownBooking struct {
	// Amount is 0 without a currency if only the cancellation has arrived.
	Amount    int64
	Currency  string
	Cancelled bool
}

// State reads everything stored about an event.
func (a *Auditor) State(ctx context.Context, eventID string) (*State, error) {
	event, err := uuid.Parse(eventID)
	if err != nil {
		return nil, fmt.Errorf("audit: event: %w", err)
	}
	// Read the cursor first: it can only advance.
	published, err := a.published(ctx, event)
	if err != nil {
		return nil, err
	}
	f, err := a.fold(ctx, event)
	if err != nil {
		return nil, err
	}
	b := &State{Owners: f.seatOwners(), SoldTwice: f.soldTwice, Inconsistent: f.inconsistent, Known: map[uuid.UUID]KnownBooking{}}
	for _, stored := range f.bookings {
		stored.Unsent = stored.seq > published
		b.Bookings = append(b.Bookings, *stored)
	}
	if b.Payments, err = a.readPayments(ctx, event); err != nil {
		return nil, err
	}
	return b, a.readKnown(ctx, event, b)
}

// readPayments returns the payments of an event with the provider's charges.
func (a *Auditor) readPayments(ctx context.Context, event uuid.UUID) ([]StoredPayment, error) {
	rows, err := a.payments.Query(ctx, `
		SELECT p.id, p.booking_id, p.status, p.amount FROM bookings b JOIN payments p USING (booking_id) WHERE b.event_id = $1`, event)
	if err != nil {
		return nil, fmt.Errorf("audit: payments: %w", err)
	}
	payments, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p StoredPayment, err error) {
		err = row.Scan(&p.ID, &p.BookingID, &p.Status, &p.Amount)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("audit: payments: %w", err)
	}
	keys := make([]string, len(payments))
	byKey := make(map[string]*StoredPayment, len(payments))
	for i := range payments {
		keys[i] = payments[i].ID.String()
		byKey[keys[i]] = &payments[i]
	}
	rows, err = a.provider.Query(ctx, `
		SELECT key, amount * (outcome = 'captured')::int, refunded FROM charges WHERE key = ANY($1)`, keys)
	if err != nil {
		return nil, fmt.Errorf("audit: provider: %w", err)
	}
	var key string
	var captured, refunded int64
	_, err = pgx.ForEachRow(rows, []any{&key, &captured, &refunded}, func() error {
		byKey[key].Captured, byKey[key].Refunded = captured, refunded
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("audit: provider: %w", err)
	}
	return payments, nil
}

func (a *Auditor) readKnown(ctx context.Context, event uuid.UUID, b *State) error {
	rows, err := a.payments.Query(ctx, `SELECT booking_id, amount, currency, state = 'cancelled' FROM bookings WHERE event_id = $1`, event)
	if err != nil {
		return fmt.Errorf("audit: payment-service's bookings: %w", err)
	}
	var id uuid.UUID
	var known KnownBooking
	_, err = pgx.ForEachRow(rows, []any{&id, &known.Amount, &known.Currency, &known.Cancelled}, func() error {
		b.Known[id] = known
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit: payment-service's bookings: %w", err)
	}
	return nil
}

// Waiting counts the pending messages, webhooks and refunds of payment-service
// and the provider, for all events.
func (a *Auditor) Waiting(ctx context.Context) (int, error) {
	var ours, theirs int
	err := a.payments.QueryRow(ctx, `SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM refunds WHERE done_at IS NULL)`).Scan(&ours)
	if err == nil {
		err = a.provider.QueryRow(ctx, `SELECT count(*) FROM webhooks`).Scan(&theirs)
	}
	if err != nil {
		return 0, fmt.Errorf("audit: count pending work: %w", err)
	}
	return ours + theirs, nil
}
