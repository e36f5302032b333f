package cassandra

import (
	"sync"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking/bookingtest"
)

func TestStoreConforms(t *testing.T) {
	cfg := Config{Hosts: testkit.Cassandra(t), Keyspace: testkit.Unique("store"), Replication: 1}
	var group sync.WaitGroup
	for range 2 { // as two replicas do at a deploy
		group.Go(func() {
			if err := Migrate(t.Context(), cfg); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	store := New(cfg)
	defer store.Close()
	bookingtest.Conformance(t, store)
}
