// Package cassandra keeps seats and bookings in Cassandra. One partition holds
// a block: its version, its seats and the bookings that live there, so that a
// round of holds, confirmations and releases is one conditional batch, which
// Cassandra runs through Paxos once.
package cassandra

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/gocql/gocql"
)

// tables of the keyspace. In seats a row with seat_index >= 0 is a seat (its
// booking_id is the zero UUID) and a row with seat_index -1 is a booking. Only
// lightweight transactions write seats and check_ins; block_id in check_ins is
// the home block of the ticket's booking. scans is the log of the doors.
var tables = []string{
	`CREATE TABLE IF NOT EXISTS %s.seats (
		event_id uuid, block_id int, seat_index int, booking_id uuid,
		version bigint static,
		owner uuid, state tinyint, deadline bigint, home_block int,
		revision int, status text, booking text, outbox text, updated_at timestamp,
		PRIMARY KEY ((event_id, block_id), seat_index, booking_id)
	) WITH compaction = {'class': 'UnifiedCompactionStrategy'}`,
	`CREATE TABLE IF NOT EXISTS %s.bookings_by_user (
		user_id uuid, booking_id uuid, event_id uuid, home_block int, created_at timestamp,
		PRIMARY KEY ((user_id), booking_id)
	)`,
	`CREATE TABLE IF NOT EXISTS %s.idempotency_keys (
		user_id uuid, key text, request_hash blob, booking_id uuid, event_id uuid, home_block int,
		PRIMARY KEY ((user_id, key))
	) WITH default_time_to_live = 86400`,
	`CREATE TABLE IF NOT EXISTS %s.events (
		bucket int, event_id uuid, version bigint, definition text,
		PRIMARY KEY ((bucket), event_id)
	)`,
	`CREATE TABLE IF NOT EXISTS %s.check_ins (
		event_id uuid, block_id int, ticket_id uuid, scan_id uuid, at timestamp, scanner uuid,
		PRIMARY KEY ((event_id, block_id), ticket_id)
	)`,
	`CREATE TABLE IF NOT EXISTS %s.scans (
		event_id uuid, scan_id uuid, code_hash blob, result text, at timestamp, admitted_at timestamp,
		ticket_id uuid, seat text, holder text, scanner uuid,
		PRIMARY KEY ((event_id), scan_id)
	) WITH CLUSTERING ORDER BY (scan_id DESC)`,
}

// definePatience is how long a statement of the schema is tried.
const definePatience = time.Minute

// Config says where the cluster is.
type Config struct {
	// Hosts is a comma-separated list of host:port.
	Hosts    string
	Keyspace string
	// Replication factor of the keyspace, used by Migrate.
	Replication int
	// Username and Password; empty: nobody logs in.
	Username, Password string
	// CA has the certificates (PEM) that a node's is signed by; empty: no TLS.
	CA string
}

func (c Config) cluster() *gocql.ClusterConfig {
	cluster := gocql.NewCluster(strings.Split(c.Hosts, ",")...)
	cluster.ProtoVersion = 4
	cluster.Consistency = gocql.Quorum
	cluster.SerialConsistency = gocql.Serial
	cluster.Timeout = 2500 * time.Millisecond
	cluster.WriteTimeout = 2500 * time.Millisecond
	cluster.ConnectTimeout = 2 * time.Second
	cluster.ReconnectInterval = time.Second
	cluster.ReconnectionPolicy = &gocql.ConstantReconnectionPolicy{MaxRetries: 3, Interval: 500 * time.Millisecond}
	cluster.NumConns = 2
	if c.Username != "" {
		cluster.Authenticator = gocql.PasswordAuthenticator{Username: c.Username, Password: c.Password}
	}
	if c.CA != "" {
		cluster.SslOpts = &gocql.SslOptions{Config: nodesOf(c.CA)}
	}
	cluster.DefaultTimestamp = false // a timestamp of this machine's clock must never beat one of Paxos
	// The driver's own log says nothing new: every failure is returned to whom it concerns.
	cluster.Logger = log.New(io.Discard, "", 0)
	return cluster
}

// nodesOf believes who has a certificate of an authority to be a node. The
// address is not compared: nodes name each other by addresses that are in no
// certificate.
func nodesOf(ca string) *tls.Config {
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM([]byte(ca))
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it, without the name
		VerifyConnection: func(state tls.ConnectionState) error {
			intermediates := x509.NewCertPool()
			for _, certificate := range state.PeerCertificates[1:] {
				intermediates.AddCert(certificate)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: authorities, Intermediates: intermediates})
			return err
		},
	}
}

// Migrate makes the keyspace and its tables; several may run at once.
func Migrate(ctx context.Context, cfg Config) error {
	cluster := cfg.cluster()
	cluster.Timeout = 30 * time.Second
	session, err := cluster.CreateSession()
	if err != nil {
		return fmt.Errorf("cassandra: %w", err)
	}
	defer session.Close()
	statements := append([]string{fmt.Sprintf(
		`CREATE KEYSPACE IF NOT EXISTS %s WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': %d}`,
		"%s", cfg.Replication)}, tables...)
	for _, statement := range statements {
		if err := define(ctx, session, fmt.Sprintf(statement, cfg.Keyspace)); err != nil {
			return fmt.Errorf("cassandra: migrate: %w", err)
		}
	}
	return nil
}

// define runs a statement that may be run again. It is, for a while: a node
// that has just started can be asked for a table before it has heard of the
// keyspace that another has made.
func define(ctx context.Context, session *gocql.Session, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, definePatience)
	defer cancel()
	for {
		err := session.Query(statement).WithContext(ctx).Exec()
		if err == nil {
			err = session.AwaitSchemaAgreement(ctx)
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(500 * time.Millisecond):
		}
	}
}
