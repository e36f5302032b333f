package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// EnsureDatabase creates the database at url if it is missing: a Postgres set up
// for an older version has only that version's databases.
func EnsureDatabase(ctx context.Context, url string) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("POSTGRES_URL: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err == nil {
		return conn.Close(ctx)
	}
	if !isCode(err, invalidCatalogName) {
		return fmt.Errorf("connect to postgres: %w", err)
	}
	missing := pgx.Identifier{cfg.Database}.Sanitize()
	cfg.Database = "postgres"
	if conn, err = pgx.ConnectConfig(ctx, cfg); err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, "CREATE DATABASE "+missing)
	// Another migrator may have created it first.
	if err != nil && !isCode(err, duplicateDatabase, uniqueViolation) {
		return fmt.Errorf("create database: %w", err)
	}
	return nil
}

// Postgres error codes.
const (
	invalidCatalogName = "3D000" // the database does not exist
	duplicateDatabase  = "42P04"
	uniqueViolation    = "23505" // a duplicate is being created concurrently
)

func isCode(err error, codes ...string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && slices.Contains(codes, pg.Code)
}
