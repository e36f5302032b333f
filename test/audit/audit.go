// Package audit counts, in the stores themselves, whether an event's seats were
// sold once and its money is where it belongs. It trusts no service: it folds
// the event's log with code of its own.
package audit

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gocql/gocql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/test/stack"
)

// Auditor reads Cassandra, payment-service's tables and the provider's books.
type Auditor struct {
	cassandra          *gocql.Session
	payments, provider *pgx.Conn
}

// Report is what the stores say of one event.
type Report struct {
	// Confirmed bookings, and the sum of their prices in minor units.
	Confirmed int
	Price     int64
	// Captured and Refunded by the provider, in minor units.
	Captured, Refunded int64
	// SoldTwice names the seats that were given to a booking while another owned
	// them.
	SoldTwice []string
	// Inconsistent says what else the log has that the rules forbid.
	Inconsistent []string
	// Unsettled counts holds, charges and refunds that are not yet at their end.
	Unsettled int
}

// Difference is 0 when the money kept is the price of what was confirmed.
func (r Report) Difference() int64 { return r.Captured - r.Refunded - r.Price }

// Open connects to the stores of a running stack.
func Open(ctx context.Context, s *stack.Stack) (*Auditor, error) {
	cluster := gocql.NewCluster(strings.Split(s.Cassandra, ",")...)
	cluster.Keyspace, cluster.Timeout, cluster.ConnectTimeout = s.Keyspace, 10*time.Second, 10*time.Second
	// These addresses and no others: by a forwarded port the node's own is out of reach.
	cluster.DisableInitialHostLookup = true
	cluster.Consistency, cluster.SerialConsistency = gocql.Quorum, gocql.Serial
	// A node may have just come back: what is only read can be asked again.
	cluster.DefaultIdempotence = true
	cluster.RetryPolicy = &gocql.ExponentialBackoffRetryPolicy{NumRetries: 10, Min: 200 * time.Millisecond, Max: 3 * time.Second}
	session, err := cluster.CreateSession()
	if err != nil {
		return nil, fmt.Errorf("audit: cassandra: %w", err)
	}
	a := &Auditor{cassandra: session}
	for database, conn := range map[string]**pgx.Conn{"payments": &a.payments, "psp": &a.provider} {
		if *conn, err = connect(ctx, s.Postgres, database); err != nil {
			a.Close(ctx)
			return nil, fmt.Errorf("audit: postgres: %w", err)
		}
	}
	return a, nil
}

func connect(ctx context.Context, postgres, database string) (*pgx.Conn, error) {
	address, err := url.Parse(postgres)
	if err != nil {
		return nil, err
	}
	address.Path = "/" + database
	return pgx.Connect(ctx, address.String())
}

// Close ends the connections.
func (a *Auditor) Close(ctx context.Context) {
	a.cassandra.Close()
	for _, conn := range []*pgx.Conn{a.payments, a.provider} {
		if conn != nil {
			// Nothing was written; there is nothing to lose.
			_ = conn.Close(ctx)
		}
	}
}

// Event audits an event.
func (a *Auditor) Event(ctx context.Context, eventID string) (Report, error) {
	var r Report
	event, err := uuid.Parse(eventID)
	if err != nil {
		return r, fmt.Errorf("audit: event: %w", err)
	}
	f, err := a.fold(ctx, event)
	if err != nil {
		return r, err
	}
	r.SoldTwice, r.Inconsistent = f.soldTwice, f.inconsistent
	for _, b := range f.bookings {
		switch b.Status {
		case "confirmed":
			r.Confirmed++
			r.Price += b.Total
		case "held":
			r.Unsettled++
		}
	}
	return r, a.countMoney(ctx, event, &r)
}

// countMoney asks the provider's own books; payment-service's tables tell only
// which charge is whose.
func (a *Auditor) countMoney(ctx context.Context, event uuid.UUID, r *Report) error {
	payments, err := a.readPayments(ctx, event)
	if err != nil {
		return err
	}
	for _, p := range payments {
		r.Captured += p.Captured
		r.Refunded += p.Refunded
		if p.Status == "processing" || p.Status == "refunding" {
			r.Unsettled++
		}
	}
	return nil
}
