package payment

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// ErrNotFound is returned for a payment or booking that is not in the store.
var ErrNotFound = errors.New("not found")

// Job is a payment to be charged.
type Job struct {
	Payment Payment
	// Tries counts how often the job was picked, including this time.
	Tries int
}

// RefundJob is a refund to be made.
type RefundJob struct {
	Refund Refund
	Tries  int
}

// Store stores purchases. Its methods are safe for concurrent use by any number
// of processes.
type Store interface {
	// Update calls fn with the purchase of a payment under the booking's lock
	// and stores fn's decisions, with their messages, in one transaction. fn
	// must have no side effects. Error: ErrNotFound.
	Update(ctx context.Context, paymentID uuid.UUID, fn func(*Purchase) error) error
	// PickCharges leases at most n payments that are processing and due. Each
	// is due again after lease unless it has ended by then.
	PickCharges(ctx context.Context, n int, lease time.Duration) ([]Job, error)
	// PickRefunds is PickCharges for refunds.
	PickRefunds(ctx context.Context, n int, lease time.Duration) ([]RefundJob, error)
	// Stuck returns at most n payments that have been processing for longer
	// than age.
	Stuck(ctx context.Context, age time.Duration, n int) ([]Payment, error)
	// Unrefunded returns at most n succeeded payments whose booking has ended.
	Unrefunded(ctx context.Context, n int) ([]Payment, error)
	// OverdueRefunds counts the refunds that have been owed for longer than
	// age.
	OverdueRefunds(ctx context.Context, age time.Duration) (int, error)
	// Uncaptured returns which of these payments do not count as captured, and
	// which are unknown.
	Uncaptured(ctx context.Context, ids []uuid.UUID) (uncaptured, unknown []uuid.UUID, err error)
	// Ledger returns the sums captured and refunded up to a time, by currency.
	Ledger(ctx context.Context, before time.Time) (map[string]Balance, error)
}
