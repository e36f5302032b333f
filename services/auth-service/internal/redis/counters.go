package redis

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// Counters implements auth.Counters across all replicas. While Redis is down,
// each replica counts on its own.
type Counters struct {
	rdb   *redis.Client
	local *auth.MemoryCounters
}

// NewCounters returns Counters in rdb.
func NewCounters(rdb *redis.Client) *Counters {
	return &Counters{rdb: rdb, local: &auth.MemoryCounters{Clock: clock.System{}}}
}

// The scripts get the keys of the limits, and for each its maximum and its window
// in milliseconds. At worst a retry of a script counts twice, to the attacker's
// disadvantage.
const (
	// waitFunction returns how long one of the limits stays reached, in ms.
	waitFunction = `
local function wait()
	local longest = 0
	for i, key in ipairs(KEYS) do
		if tonumber(redis.call("GET", key) or "0") >= tonumber(ARGV[2 * i - 1]) then
			longest = math.max(longest, redis.call("PTTL", key), 1)
		end
	end
	return longest
end
`
	// addFunction counts, and returns 1 if a limit is reached with this count.
	addFunction = `
local function add()
	local reached = 0
	for i, key in ipairs(KEYS) do
		local n = redis.call("INCR", key)
		if n == 1 then redis.call("PEXPIRE", key, ARGV[2 * i]) end
		if n == tonumber(ARGV[2 * i - 1]) then reached = 1 end
	end
	return reached
end
`
)

var (
	waitScript = redis.NewScript(waitFunction + "return wait()")
	addScript  = redis.NewScript(addFunction + "return add()")
	takeScript = redis.NewScript(waitFunction + addFunction + `
local left = wait()
if left == 0 then add() end
return left`)
)

func (c *Counters) run(ctx context.Context, script *redis.Script, limits []auth.Limit) (int64, error) {
	if len(limits) == 0 {
		return 0, nil
	}
	keys, args := make([]string, 0, len(limits)), make([]any, 0, 2*len(limits))
	for _, l := range limits {
		keys = append(keys, "limit:"+l.Key)
		args = append(args, l.Max, l.Window.Milliseconds())
	}
	n, err := script.Run(ctx, c.rdb, keys, args...).Int64()
	if err != nil && ctx.Err() == nil {
		slog.WarnContext(ctx, "count failed, counting in this process", "error", err)
	}
	return n, err
}

// Wait returns how long a limit stays reached.
func (c *Counters) Wait(ctx context.Context, limits []auth.Limit) time.Duration {
	ms, err := c.run(ctx, waitScript, limits)
	if err != nil {
		return c.local.Wait(ctx, limits)
	}
	return time.Duration(ms) * time.Millisecond
}

// Add counts once for each limit, even if the client has disconnected: hanging up
// must not avoid the count.
func (c *Counters) Add(ctx context.Context, limits []auth.Limit) (reached bool) {
	ctx = context.WithoutCancel(ctx)
	n, err := c.run(ctx, addScript, limits)
	if err != nil {
		return c.local.Add(ctx, limits)
	}
	return n == 1
}

// Take counts once for each limit, unless one of them is reached.
func (c *Counters) Take(ctx context.Context, limits []auth.Limit) time.Duration {
	ms, err := c.run(ctx, takeScript, limits)
	if err != nil {
		return c.local.Take(ctx, limits)
	}
	return time.Duration(ms) * time.Millisecond
}

// Reset sets the counts to zero.
func (c *Counters) Reset(ctx context.Context, limits []auth.Limit) {
	c.local.Reset(ctx, limits)
	keys := make([]string, len(limits))
	for i, l := range limits {
		keys[i] = "limit:" + l.Key
	}
	// If this fails, the counts end with their windows.
	c.rdb.Del(ctx, keys...)
}
