package cassandra

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/gocql/gocql"
)

// ErrUnsafe means that Cassandra's configuration could lose an acknowledged
// sale.
var ErrUnsafe = errors.New("cassandra is not safe")

// Check returns an error that wraps ErrUnsafe if a node could forget a Paxos
// promise when it crashes, or answer from a stale replica. It checks whichever
// node coordinates: gocql 1.7.0 can't send a query to a chosen node. If the
// role may not read the settings, Check passes.
func (s *Store) Check(ctx context.Context) error {
	settings := map[string]string{}
	for _, name := range []string{"commitlog_sync", "paxos_variant"} {
		var value string
		// system_views.settings is local to each node, so consistency has no effect.
		if err := s.scan(ctx, gocql.One, "read settings", &value, `SELECT value FROM system_views.settings WHERE name = ?`, name); err != nil {
			var refused gocql.RequestError
			if errors.As(err, &refused) && refused.Code() == gocql.ErrCodeUnauthorized {
				slog.WarnContext(ctx, "Cassandra settings not checked: the role may not read system_views.settings")
				return nil
			}
			return err
		}
		settings[name] = strings.ToLower(value)
	}
	return checkSettings(settings["commitlog_sync"], settings["paxos_variant"])
}

// checkSettings checks values of cassandra.yaml. Cassandra before 4.1 has no
// paxos_variant.
func checkSettings(commitlogSync, paxosVariant string) error {
	if commitlogSync != "batch" && commitlogSync != "group" {
		return fmt.Errorf("%w: commitlog_sync is %q: set it to batch or group in cassandra.yaml", ErrUnsafe, commitlogSync)
	}
	// Version 1 may report an applied append as not applied.
	if paxosVariant != "" && paxosVariant != "v2" {
		return fmt.Errorf("%w: paxos_variant is %q: set it to v2 in cassandra.yaml", ErrUnsafe, paxosVariant)
	}
	return nil
}
