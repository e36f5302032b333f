// Package audit checks, in the stores themselves, whether an event's seats were
// sold only once and its money is where it belongs. It trusts no service: it
// replays the event's log with its own code.
package audit

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gocql/gocql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/test/system"
)

// Auditor reads Cassandra, payment-service's tables and the provider's ledger.
type Auditor struct {
	cassandra          *gocql.Session
	payments, provider *pgx.Conn
}

// Report is the state of one event according to the stores.
type Report struct {
	// Confirmed counts confirmed bookings; Price sums their prices in minor
	// units.
	Confirmed int
	Price     int64
	// Captured and Refunded are the provider's sums, in minor units.
	Captured, Refunded int64
	// SoldTwice names the seats that were given to a booking while another
	// owned them.
	SoldTwice []string
	// Inconsistent describes violations of the log's rules.
	Inconsistent []string
	// Unsettled counts holds, charges and refunds that have not ended yet.
	Unsettled int
}

// Difference is 0 if the money kept equals the price of the confirmed bookings.
func (r Report) Difference() int64 { return r.Captured - r.Refunded - r.Price }

// Open connects to the stores of a running system.
func Open(ctx context.Context, s *system.System) (*Auditor, error) {
	cluster := cassandra(s.Cassandra)
	cluster.Keyspace, cluster.Timeout, cluster.ConnectTimeout = s.Keyspace, 10*time.Second, 10*time.Second
	// Use only these addresses: behind a forwarded port, a node's own address
	// is unreachable.
	cluster.DisableInitialHostLookup = true
	cluster.Consistency, cluster.SerialConsistency = gocql.Quorum, gocql.Serial
	// A node may have just restarted: reads can be repeated.
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

// cassandra returns the cluster at address, [role:password@]host:port,... A
// trailing ?tls encrypts, without looking at the certificate: it does not fit
// a forwarded port.
func cassandra(address string) *gocql.ClusterConfig {
	address, encrypted := strings.CutSuffix(address, "?tls")
	login, hosts, found := strings.Cut(address, "@")
	if !found {
		login, hosts = "", address
	}
	cluster := gocql.NewCluster(strings.Split(hosts, ",")...)
	if role, password, ok := strings.Cut(login, ":"); ok {
		cluster.Authenticator = gocql.PasswordAuthenticator{Username: role, Password: password}
	}
	if encrypted {
		config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true} //nolint:gosec // see above
		cluster.SslOpts = &gocql.SslOptions{Config: config}
	}
	return cluster
}

func connect(ctx context.Context, postgres, database string) (*pgx.Conn, error) {
	address, err := url.Parse(postgres)
	if err != nil {
		return nil, err
	}
	address.Path = "/" + database
	return pgx.Connect(ctx, address.String())
}

// Close closes the connections.
func (a *Auditor) Close(ctx context.Context) {
	a.cassandra.Close()
	for _, conn := range []*pgx.Conn{a.payments, a.provider} {
		if conn != nil {
			// Nothing was written, so an error loses nothing.
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

// countMoney reads the provider's own ledger; payment-service's tables are used
// only to find which charge belongs to which payment.
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
