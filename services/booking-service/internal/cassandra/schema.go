// Package cassandra keeps the logs of the events on sale in Cassandra, one
// partition a log, and what is derived from them.
package cassandra

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/gocql/gocql"
)

// migrations are applied in order, each once. One that has been released is not
// changed: a new one is added. Each may be applied again by a process that runs
// at the same time.
//
// Only lightweight transactions write event_log. A log's key is the first 8
// bytes of the event's id. Of a snapshot, part 0 is written last.
var migrations = []string{
	`CREATE TABLE IF NOT EXISTS %s.event_log (
		event bigint, seq bigint, head bigint static, entry blob,
		PRIMARY KEY ((event), seq)
	) WITH compaction = {'class': 'UnifiedCompactionStrategy'}`,
	`CREATE TABLE IF NOT EXISTS %s.snapshots (
		event bigint, part int, seq bigint, parts int, data blob,
		PRIMARY KEY ((event), part, seq)
	) WITH CLUSTERING ORDER BY (part ASC, seq DESC)`,
	`CREATE TABLE IF NOT EXISTS %s.cursors (event bigint PRIMARY KEY, published bigint)`,
	`CREATE TABLE IF NOT EXISTS %s.events_on_sale (
		bucket int, event uuid, ends_at timestamp,
		PRIMARY KEY ((bucket), event)
	)`,
	`CREATE TABLE IF NOT EXISTS %s.user_bookings (
		bucket int, user_id uuid, booking_id uuid, data blob,
		PRIMARY KEY ((bucket), user_id, booking_id)
	) WITH compaction = {'class': 'UnifiedCompactionStrategy'}`,
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
	cluster.WriteCoalesceWaitTime = 0 // it would delay each frame by 200 µs and more
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

// nodesOf trusts every node with a certificate of the authority. Addresses are
// not compared: nodes name each other by addresses that no certificate has.
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
	keyspace := fmt.Sprintf(`CREATE KEYSPACE IF NOT EXISTS %s WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': %d}`,
		cfg.Keyspace, cfg.Replication)
	applied := fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s.schema_migrations (id int PRIMARY KEY, applied_at timestamp)`, cfg.Keyspace)
	for _, statement := range []string{keyspace, applied} {
		if err := define(ctx, session, statement); err != nil {
			return fmt.Errorf("cassandra: migrate: %w", err)
		}
	}
	for i, statement := range migrations {
		if err := migrate(ctx, session, cfg.Keyspace, i+1, fmt.Sprintf(statement, cfg.Keyspace)); err != nil {
			return fmt.Errorf("cassandra: migration %d: %w", i+1, err)
		}
	}
	return nil
}

// migrate applies a migration unless it is recorded.
func migrate(ctx context.Context, session *gocql.Session, keyspace string, id int, statement string) error {
	var at time.Time
	err := session.Query(fmt.Sprintf(`SELECT applied_at FROM %s.schema_migrations WHERE id = ?`, keyspace), id).WithContext(ctx).Scan(&at)
	if !errors.Is(err, gocql.ErrNotFound) {
		return err
	}
	if err := define(ctx, session, statement); err != nil {
		return err
	}
	return session.Query(fmt.Sprintf(`INSERT INTO %s.schema_migrations (id, applied_at) VALUES (?, toTimestamp(now()))`, keyspace), id).
		WithContext(ctx).Exec()
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
