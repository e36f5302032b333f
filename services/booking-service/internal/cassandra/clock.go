package cassandra

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gocql/gocql"
)

// Clock tells the cluster's time, so that a machine whose own clock is wrong
// neither ends holds early nor keeps them too long. Between calls of Set it
// follows the machine's monotonic clock.
type Clock struct {
	store *Store

	mu   sync.Mutex
	base time.Time // the cluster's time at
	at   time.Time // this reading of the monotonic clock
}

// NewClock returns a clock that shows the machine's time until Set succeeds.
func NewClock(store *Store) *Clock {
	now := time.Now()
	return &Clock{store: store, base: now, at: now}
}

// Now returns the cluster's time in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base.Add(time.Since(c.at)).Round(0).UTC()
}

// maxReadTime is the longest response time that Set accepts. A slower response
// is imprecise: the node may have read its clock at either end of the interval.
const maxReadTime = 250 * time.Millisecond

// Set reads the time from a node.
func (c *Clock) Set(ctx context.Context) error {
	session, err := c.store.connect()
	if err != nil {
		return err
	}
	before := time.Now()
	var millis int64
	err = session.Query(`SELECT toUnixTimestamp(now()) FROM system.local`).Consistency(gocql.One).WithContext(ctx).Scan(&millis)
	if err != nil {
		return readFailed("read time", err)
	}
	took := time.Since(before)
	if took > maxReadTime {
		return fmt.Errorf("cassandra: read time: response took %v, more than %v", took, maxReadTime)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.at = time.UnixMilli(millis).Add(took/2), before.Add(took)
	return nil
}
