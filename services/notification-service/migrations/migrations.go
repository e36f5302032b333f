// Package migrations embeds the schema of notification-service's database.
package migrations

import "embed"

// Files are goose migrations; versions 1 to 9 are those of pkg/postgres.
//
//go:embed *.sql
var Files embed.FS
