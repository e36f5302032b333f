package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gocql/gocql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Books is everything that the stores have of one event.
type Books struct {
	// Owners of the seats by seat id: a booking's, or the zero UUID when free.
	Owners   map[string]uuid.UUID
	Bookings []StoredBooking
	Payments []StoredPayment
	// Known has what payment-service knows of the bookings, by their id.
	Known map[uuid.UUID]KnownBooking
}

// StoredBooking is a booking's row in Cassandra.
type StoredBooking struct {
	ID     uuid.UUID `json:"id"`
	UserID uuid.UUID `json:"user_id"`
	// Status may be refused: the mark of a hold that was not made.
	Status      string     `json:"status"`
	Reason      string     `json:"reason"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	ConfirmedAt *time.Time `json:"confirmed_at"`
	EndedAt     *time.Time `json:"ended_at"`
	Total       struct {
		Amount int64 `json:"amount"`
	} `json:"total"`
	Seats []struct {
		ID string `json:"id"`
	} `json:"seats"`
	Payment *struct {
		ID     uuid.UUID `json:"id"`
		Status string    `json:"status"`
	} `json:"payment"`
	// Unsent tells whether messages of it are still to be sent.
	Unsent bool `json:"-"`
}

// SeatIDs of the booking.
func (b *StoredBooking) SeatIDs() []string {
	ids := make([]string, len(b.Seats))
	for i, s := range b.Seats {
		ids[i] = s.ID
	}
	return ids
}

// Live tells whether the booking owns its seats.
func (b *StoredBooking) Live() bool { return b.Status == "held" || b.Status == "confirmed" }

// StoredPayment is a payment, and the provider's charge for it.
type StoredPayment struct {
	ID, BookingID uuid.UUID
	Status        string
	Amount        int64
	// Captured and Refunded are the provider's, in minor units.
	Captured, Refunded int64
}

// KnownBooking is payment-service's copy of a booking.
type KnownBooking struct {
	// Amount is 0 without a currency when only the cancellation has arrived.
	Amount    int64
	Currency  string
	Cancelled bool
}

// Books reads all that is stored of an event with this many blocks.
func (a *Auditor) Books(ctx context.Context, eventID string, blocks int) (*Books, error) {
	event, err := uuid.Parse(eventID)
	if err != nil {
		return nil, fmt.Errorf("audit: event: %w", err)
	}
	b := &Books{Owners: map[string]uuid.UUID{}, Known: map[uuid.UUID]KnownBooking{}}
	for block := 1; block <= blocks; block++ {
		if err := a.readBlock(ctx, event, block, b); err != nil {
			return nil, err
		}
	}
	if err := a.readPayments(ctx, event, b); err != nil {
		return nil, err
	}
	return b, a.readKnown(ctx, event, b)
}

func (a *Auditor) readBlock(ctx context.Context, event uuid.UUID, number int, b *Books) error {
	iter := a.cassandra.Query(`SELECT seat_index, owner, booking, outbox FROM seats WHERE event_id = ? AND block_id = ?`,
		gocql.UUID(event), number).WithContext(ctx).PageSize(5000).Iter()
	var (
		index            int
		owner            gocql.UUID
		document, outbox string
	)
	for iter.Scan(&index, &owner, &document, &outbox) {
		if index >= 0 {
			b.Owners[fmt.Sprintf("%d-%d", number, index)] = uuid.UUID(owner)
			continue
		}
		stored := StoredBooking{Unsent: outbox != ""}
		if err := json.Unmarshal([]byte(document), &stored); err != nil {
			return fmt.Errorf("audit: a booking of block %d: %w", number, err)
		}
		b.Bookings = append(b.Bookings, stored)
	}
	if err := iter.Close(); err != nil {
		return fmt.Errorf("audit: block %d: %w", number, err)
	}
	return nil
}

func (a *Auditor) readPayments(ctx context.Context, event uuid.UUID, b *Books) error {
	rows, err := a.payments.Query(ctx, `
		SELECT p.id, p.booking_id, p.status, p.amount,
			coalesce(c.amount, 0) * (coalesce(c.outcome, '') = 'captured')::int, coalesce(c.refunded, 0)
		FROM bookings b JOIN payments p USING (booking_id) LEFT JOIN psp.charges c ON c.key = p.id::text
		WHERE b.event_id = $1`, event)
	if err != nil {
		return fmt.Errorf("audit: payments: %w", err)
	}
	b.Payments, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p StoredPayment, err error) {
		err = row.Scan(&p.ID, &p.BookingID, &p.Status, &p.Amount, &p.Captured, &p.Refunded)
		return p, err
	})
	if err != nil {
		return fmt.Errorf("audit: payments: %w", err)
	}
	return nil
}

func (a *Auditor) readKnown(ctx context.Context, event uuid.UUID, b *Books) error {
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

// Waiting counts what payment-service and the provider still have to do or to
// say: messages, webhooks and refunds of all events.
func (a *Auditor) Waiting(ctx context.Context) (int, error) {
	var n int
	err := a.payments.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM psp.webhooks) + (SELECT count(*) FROM refunds WHERE done_at IS NULL)`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("audit: what waits: %w", err)
	}
	return n, nil
}
