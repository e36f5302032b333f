package cassandra

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Clock tells the cluster's time, so that a machine whose own clock is wrong
// neither ends holds early nor keeps them long. It keeps the difference to the
// machine's monotonic clock and corrects it now and then.
type Clock struct {
	store *Store

	mu   sync.Mutex
	base time.Time // the cluster's time at
	at   time.Time // this reading of the monotonic clock
}

// NewClock returns a clock that shows the machine's time until it is first set.
func NewClock(store *Store) *Clock {
	now := time.Now()
	return &Clock{store: store, base: now, at: now}
}

// Now returns the cluster's time, UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base.Add(time.Since(c.at)).Round(0).UTC()
}

// slowReading is too long a way for an answer that tells the time: it may have
// been told at its beginning or at its end.
const slowReading = 250 * time.Millisecond

// Set asks a node for its time.
func (c *Clock) Set(ctx context.Context) error {
	session, err := c.store.connect()
	if err != nil {
		return err
	}
	before := time.Now()
	var millis int64
	if err := session.Query(`SELECT toUnixTimestamp(now()) FROM system.local`).WithContext(ctx).Scan(&millis); err != nil {
		return fmt.Errorf("cassandra: time: %w", err)
	}
	took := time.Since(before)
	if took > slowReading {
		return fmt.Errorf("cassandra: time: the answer took %v, which leaves it too vague", took)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.at = time.UnixMilli(millis).Add(took/2), before.Add(took)
	return nil
}
