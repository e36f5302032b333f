package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/services/auth-service/internal/auth"
)

// Attempts implements auth.Attempts across all replicas. While Redis is down,
// each replica counts on its own.
type Attempts struct {
	rdb   *redis.Client
	local *auth.MemoryAttempts
}

// NewAttempts returns an Attempts that counts in rdb.
func NewAttempts(rdb *redis.Client) *Attempts {
	return &Attempts{rdb: rdb, local: &auth.MemoryAttempts{Clock: clock.System{}}}
}

// accountKey hashes the e-mail, to hide who tries to log in.
func accountKey(email string) string {
	sum := sha256.Sum256([]byte(email))
	return "login-failures:account:" + hex.EncodeToString(sum[:16])
}

func addressKey(addr string) string { return "login-failures:address:" + addr }

// failed increments the counters and starts the window with the first failure.
// It returns 1 if a counter has reached its limit.
// At worst a retry of the script counts twice, to the attacker's disadvantage.
var failed = redis.NewScript(`
local reached = 0
for i, key in ipairs(KEYS) do
	local n = redis.call("INCR", key)
	if n == 1 then redis.call("PEXPIRE", key, ARGV[1]) end
	if n == tonumber(ARGV[i + 1]) then reached = 1 end
end
return reached`)

// Blocked returns how long log-ins of email from addr are refused.
func (a *Attempts) Blocked(ctx context.Context, email, addr string) time.Duration {
	var (
		counts [2]*redis.StringCmd
		ttls   [2]*redis.DurationCmd
	)
	_, err := a.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range []string{accountKey(email), addressKey(addr)} {
			counts[i], ttls[i] = p.Get(ctx, key), p.PTTL(ctx, key)
		}
		return nil
	})
	if err != nil && err != redis.Nil { //nolint:errorlint // Pipelined returns the first command's bare error
		return a.local.Blocked(ctx, email, addr)
	}
	var wait time.Duration
	for i, limit := range []int{auth.MaxFailuresPerAccount, auth.MaxFailuresPerAddress} {
		if n, err := counts[i].Int(); err == nil && n >= limit {
			wait = max(wait, ttls[i].Val(), time.Millisecond)
		}
	}
	return wait
}

// Failed counts a failure.
func (a *Attempts) Failed(ctx context.Context, email, addr string) (lockedOut bool) {
	// Count even if the client has disconnected: hanging up must not avoid the
	// count.
	ctx = context.WithoutCancel(ctx)
	lockedOut, err := failed.Run(ctx, a.rdb, []string{accountKey(email), addressKey(addr)},
		auth.Window.Milliseconds(), auth.MaxFailuresPerAccount, auth.MaxFailuresPerAddress).Bool()
	if err != nil {
		slog.WarnContext(ctx, "count failed log-in failed, counting in this process", "error", err)
		return a.local.Failed(ctx, email, addr)
	}
	return lockedOut
}

// Succeeded resets the failures of email.
func (a *Attempts) Succeeded(ctx context.Context, email string) {
	a.local.Succeeded(ctx, email)
	// If this fails, the count ends with its window.
	a.rdb.Del(ctx, accountKey(email))
}
