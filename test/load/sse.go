package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/load/openloop"
)

const (
	watcherCount = 10_000
	// watchedSeats is the size of a hall with a small snapshot, which every new
	// watcher gets.
	watchedSeats = 3_000
	// watchedChanges is the number of changes to the watched event, one after
	// another.
	watchedChanges = 10
	changePause    = 1200 * time.Millisecond
	inTime         = time.Second
	// perSource is the number of connections per source address: each
	// connection of an address needs its own port.
	perSource = 2_500
	// openingAtOnce is how many streams are opened concurrently.
	openingAtOnce = 50
)

// watcherStats holds the watchers of one event.
type watcherStats struct {
	open    atomic.Int64
	mu      sync.Mutex
	seat    []byte // the change to wait for
	began   time.Time
	seen    []bool
	count   int
	inTime  int
	lastLag time.Duration
	bytes   int
}

// observe processes data received by watcher n.
func (c *watcherStats) observe(n int, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seat == nil || c.seen[n] || !bytes.Contains(data, c.seat) {
		return
	}
	lag := time.Since(c.began)
	c.seen[n] = true
	c.count++
	c.bytes = len(data)
	c.lastLag = max(c.lastLag, lag)
	if lag <= inTime {
		c.inTime++
	}
}

// watch lets thousands of watchers follow one event, which one booking replica
// serves to the gateway, and changes it repeatedly while holds of another event
// run at half of the maximum rate.
func (b *bench) watch(ctx context.Context) error {
	if err := openFiles(watcherCount + mostConnections + 100); err != nil {
		return err
	}
	watched, err := b.newBacklog(ctx, watchedSeats, 1)
	if err != nil {
		return err
	}
	rate := b.holdMax / 2
	length := watchedChanges*changePause + time.Second
	others, err := b.newBacklog(ctx, bigHall, openloop.Arrivals(rate, length))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := &watcherStats{seen: make([]bool, watcherCount)}
	b.open(ctx, c, watched.requests[0].event)
	if err := poll(ctx, time.Minute, fmt.Sprintf("%d streams to open", watcherCount), func() bool { return c.open.Load() >= watcherCount }); err != nil {
		return fmt.Errorf("%d streams are open: %w", c.open.Load(), err)
	}
	b.progress("%d watchers look at one event", watcherCount)
	if err := b.change(ctx, c, watched, "sse, quiet", nil); err != nil {
		return err
	}
	return b.change(ctx, c, watched, "sse", func() openloop.Result {
		result, _ := b.hold(ctx, others, holdPath, pace(rate, length))
		return result
	})
}

// open opens the watchers' streams.
func (b *bench) open(ctx context.Context, c *watcherStats, event string) {
	slots := make(chan struct{}, openingAtOnce)
	for n := range watcherCount {
		first := sync.OnceFunc(func() {
			c.open.Add(1)
			<-slots
		})
		w := &watcher{
			address: b.wire.host, event: event, from: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n/perSource))},
			data: func(_ string, data []byte) { c.observe(n, data) }, opened: first,
		}
		go func() {
			select {
			case slots <- struct{}{}:
				w.watch(ctx)
			case <-ctx.Done():
			}
		}()
	}
}

// change holds pairs of the watched event one after another and measures how
// many watchers see each, and when. load, if not nil, runs at the same time.
func (b *bench) change(ctx context.Context, c *watcherStats, watched *backlog, part string, load func() openloop.Result) error {
	slice, err := b.slice(ctx, part, kindHold, 0, 0, func() (openloop.Result, openloop.Summary, error) {
		var result openloop.Result
		var under sync.WaitGroup
		if load != nil {
			under.Go(func() { result = load() })
		}
		failed := b.changes(ctx, c, watched, load != nil)
		under.Wait()
		return result, openloop.Summarize(result, created), failed
	})
	if err == nil && load == nil {
		spent := slice.CPU["api-gateway"] + slice.CPU["booking-service"]
		b.record("sse_cpu_us", float64(spent.Microseconds())/(watchedChanges*watcherCount))
	}
	return err
}

func (b *bench) changes(ctx context.Context, c *watcherStats, watched *backlog, counts bool) error {
	for range watchedChanges {
		w := watched.requests[watched.used]
		c.mu.Lock()
		clear(c.seen)
		c.count, c.inTime, c.lastLag, c.began = 0, 0, 0, time.Now()
		c.seat = append(appendSeat([]byte{'"'}, w.block, w.index), '"')
		c.mu.Unlock()
		_, sum := b.hold(ctx, watched, holdPath, openloop.Run{Count: 1, Length: time.Minute, Connections: 1})
		if sum.Accepted.TotalCount() != 1 {
			return fmt.Errorf("watched event was not changed: %v", sum.ByStatus)
		}
		if !clock.Sleep(ctx, changePause) {
			return ctx.Err()
		}
		c.mu.Lock()
		b.progress("a change: %d of %d watchers saw it within a second of its being asked for, %d in all, the last after %.0f ms",
			c.inTime, watcherCount, c.count, ms(c.lastLag))
		if counts {
			b.record("sse_watchers", float64(c.inTime))
			b.record("sse_last_ms", ms(c.lastLag))
		} else {
			b.record("sse_bytes", float64(c.bytes))
		}
		c.mu.Unlock()
	}
	return nil
}

// openFiles raises this process's limit of open files to the maximum, which must be need at least.
func openFiles(need int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < uint64(need) {
		return fmt.Errorf("open files are limited to %d; the streams need %d", limit.Max, need)
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
