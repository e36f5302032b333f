package cassandra

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gocql/gocql"
)

// ErrUnsafe means that Cassandra is set up so that an acknowledged sale could be
// lost.
var ErrUnsafe = errors.New("cassandra is not safe to sell by")

// Check refuses a Cassandra that could lose what it has acknowledged: one whose
// commit log is synced after the answer forgets Paxos promises when it is
// killed. It asks whichever node answers; the chart checks the configuration.
func (s *Store) Check(ctx context.Context) error {
	for setting, allowed := range map[string][]string{
		"commitlog_sync": {"batch", "group"},
		"paxos_variant":  {"v1", "v2"},
	} {
		var value string
		found, err := s.scan(ctx, gocql.One, []any{&value}, `SELECT value FROM system_views.settings WHERE name = ?`, setting)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		ok := false
		for _, v := range allowed {
			ok = ok || strings.EqualFold(v, value)
		}
		if !ok {
			return fmt.Errorf("%w: %s is %q; set it to %s in cassandra.yaml", ErrUnsafe, setting, value, strings.Join(allowed, " or "))
		}
	}
	return nil
}
