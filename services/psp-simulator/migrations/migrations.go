// Package migrations embeds the database schema.
package migrations

import "embed"

// Files are goose migrations.
//
//go:embed *.sql
var Files embed.FS
