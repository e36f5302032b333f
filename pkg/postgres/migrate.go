package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed schema/*.sql
var schema embed.FS

// Table is a table of this package that a service can add to its database. Its
// migrations have versions 1 to 9; a service's own start at 10.
type Table string

// Tables of this package.
const (
	// Idempotency is needed by Once.
	Idempotency Table = "idempotency"
	// Outbox is needed by Enqueue and Relay.
	Outbox Table = "outbox"
)

// Migrate brings the database at url to the newest version. migrations has the
// service's own goose files (00010_first.sql and so on) at its root; tables
// names the tables of this package that the service needs. Concurrent migrators
// are safe: one works, the others wait for it.
func Migrate(ctx context.Context, url string, migrations fs.FS, tables ...Table) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	cfg.ConnectTimeout = connectTimeout
	db := stdlib.OpenDB(*cfg)
	defer func() { _ = db.Close() }()

	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, withTables{migrations, tables},
		goose.WithSessionLocker(locker), goose.WithAllowOutofOrder(true), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for _, r := range results {
		slog.InfoContext(ctx, "migrated", "migration", r.Source.Path, "duration", r.Duration)
	}
	return nil
}

// withTables presents a service's migrations and those of this package's tables
// as one directory.
type withTables struct {
	own    fs.FS
	tables []Table
}

// Open opens a file from either directory.
func (w withTables) Open(name string) (fs.File, error) {
	f, err := w.own.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return schema.Open("schema/" + name)
	}
	return f, err
}

// ReadDir lists both directories as one.
func (w withTables) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(w.own, name)
	if err != nil || name != "." {
		return entries, err
	}
	shared, err := schema.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	for _, e := range shared {
		// 00001_idempotency.sql or 00004_idempotency_owner_index.sql
		table := strings.SplitN(strings.TrimSuffix(e.Name(), ".sql"), "_", 3)[1]
		if slices.Contains(w.tables, Table(table)) {
			entries = append(entries, e)
		}
	}
	return entries, nil
}
