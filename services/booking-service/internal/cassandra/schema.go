// Package cassandra stores the logs of the events on sale in Cassandra, one
// partition per log, and the data derived from them.
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

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// migrations are applied in order, each once; the first has number 1. Append
// new ones and never change one that has been released.
//
// Processes that migrate at the same time may run a statement twice, so each
// must be safe to repeat: use IF NOT EXISTS and IF EXISTS.
//
// A log's key is the first 8 bytes of the event's id. Only lightweight
// transactions write event_log: plain writes would break Paxos.
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
	`ALTER TABLE %s.cursors ADD IF NOT EXISTS listed bigint`,
}

// migrateTimeout is how long one step of a migration is retried.
const migrateTimeout = time.Minute

// Config is the configuration for connecting to the cluster. The service reads
// it from its environment.
type Config struct {
	// Hosts is a comma-separated list of host:port.
	Hosts    string `env:"CASSANDRA_HOSTS,required"`
	Keyspace string `env:"CASSANDRA_KEYSPACE" envDefault:"bookings"`
	// Replication is the replication factor of the keyspace, used by Migrate.
	Replication int `env:"CASSANDRA_REPLICATION" envDefault:"1"`
	// Username and Password authenticate. Without a username there is no
	// authentication.
	Username string `env:"CASSANDRA_USERNAME"`
	Password string `env:"CASSANDRA_PASSWORD"`
	// CA holds the certificates (PEM) that sign the nodes' certificates.
	// Without it there is no TLS.
	CA string `env:"CASSANDRA_CA"`
	// TLSName is a name that every node's certificate must have: nodes announce
	// addresses, which are in no certificate. If empty, any name is accepted.
	TLSName string `env:"CASSANDRA_TLS_NAME"`
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
	// The default would delay each frame by 200 µs and more.
	cluster.WriteCoalesceWaitTime = 0
	if c.Username != "" {
		cluster.Authenticator = gocql.PasswordAuthenticator{Username: c.Username, Password: c.Password}
	}
	if c.CA != "" {
		cluster.SslOpts = &gocql.SslOptions{Config: tlsConfig(c.CA, c.TLSName)}
	}
	// A timestamp of this machine's clock must never override one of Paxos.
	cluster.DefaultTimestamp = false
	// The driver's log adds nothing: every failure is returned to the caller.
	cluster.Logger = log.New(io.Discard, "", 0)
	return cluster
}

// tlsConfig trusts every node whose certificate is signed by the CA and, unless
// name is empty, is for name.
func tlsConfig(ca, name string) *tls.Config {
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM([]byte(ca))
	if name != "" {
		return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities, ServerName: name}
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies the chain, without the name
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

// Migrate creates the keyspace and applies the migrations that are not in
// schema_migrations. Several processes may migrate at once.
func Migrate(ctx context.Context, cfg Config) error {
	cluster := cfg.cluster()
	cluster.Timeout = 30 * time.Second
	session, err := cluster.CreateSession()
	if err != nil {
		return fmt.Errorf("cassandra: connect: %w", err)
	}
	defer session.Close()
	if err := retry(ctx, func(ctx context.Context) error { return createKeyspace(ctx, session, cfg) }); err != nil {
		return fmt.Errorf("cassandra: create keyspace %s: %w", cfg.Keyspace, err)
	}
	for i, statement := range migrations {
		if err := retry(ctx, func(ctx context.Context) error {
			return apply(ctx, session, cfg.Keyspace, i+1, fmt.Sprintf(statement, cfg.Keyspace))
		}); err != nil {
			return fmt.Errorf("cassandra: apply migration %d: %w", i+1, err)
		}
	}
	return nil
}

// createKeyspace creates the keyspace with its table of migrations. A role that
// may not create keyspaces can migrate one that exists.
func createKeyspace(ctx context.Context, session *gocql.Session, cfg Config) error {
	var name string
	err := session.Query(`SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?`, cfg.Keyspace).
		WithContext(ctx).Scan(&name)
	if errors.Is(err, gocql.ErrNotFound) {
		err = define(ctx, session, fmt.Sprintf(
			`CREATE KEYSPACE IF NOT EXISTS %s WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': %d}`,
			cfg.Keyspace, cfg.Replication))
	}
	if err != nil {
		return err
	}
	return define(ctx, session, fmt.Sprintf(
		`CREATE TABLE IF NOT EXISTS %s.schema_migrations (id int PRIMARY KEY, applied_at timestamp)`, cfg.Keyspace))
}

// apply runs a migration and records it, unless it is already recorded.
func apply(ctx context.Context, session *gocql.Session, keyspace string, id int, statement string) error {
	var recorded int
	err := session.Query(fmt.Sprintf(`SELECT id FROM %s.schema_migrations WHERE id = ?`, keyspace), id).
		Consistency(gocql.Quorum).WithContext(ctx).Scan(&recorded)
	if !errors.Is(err, gocql.ErrNotFound) {
		return err
	}
	if err := define(ctx, session, statement); err != nil {
		return err
	}
	return session.Query(fmt.Sprintf(`INSERT INTO %s.schema_migrations (id, applied_at) VALUES (?, toTimestamp(now()))`, keyspace), id).
		Consistency(gocql.Quorum).WithContext(ctx).Exec()
}

// define changes the schema and waits until all nodes agree on it.
func define(ctx context.Context, session *gocql.Session, statement string) error {
	if err := session.Query(statement).WithContext(ctx).Exec(); err != nil {
		return err
	}
	return session.AwaitSchemaAgreement(ctx)
}

// retry calls step until it succeeds or migrateTimeout has passed. A node that
// has just started may not know a keyspace created by another node.
func retry(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	for {
		err := step(ctx)
		if err == nil {
			return nil
		}
		if !clock.Sleep(ctx, 500*time.Millisecond) {
			return err
		}
	}
}
