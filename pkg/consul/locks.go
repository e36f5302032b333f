package consul

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

const (
	lockPrefix = "frontrow/locks/"
	// sessionTTL is the shortest Consul allows. A leader that can't renew for
	// this long steps down by itself; Consul frees its locks no earlier.
	sessionTTL    = 10 * time.Second
	renewInterval = sessionTTL / 4
	// lockDelay is short because a second leader is harmless here (owners are
	// decided by compare-and-set, not by the lock), and a long one delays sweeps.
	lockDelay = time.Second
	// contendInterval is how often free locks are tried, in addition to after
	// every change.
	contendInterval = time.Second
)

// Locks elects leaders with Consul locks: any number of names share one
// session, one renewal and one watch per process.
type Locks struct {
	client *api.Client
	owner  string
	log    *slog.Logger

	mu     sync.Mutex
	claims map[string]*claim
	wake   chan struct{}
}

// claim is a name this process wants to lead.
type claim struct {
	// granted receives the context of each term won; it ends with the term.
	granted chan context.Context
	// end cancels the current term; nil while there is none.
	end context.CancelFunc
	// session is the session that won the term.
	session string
	// notBefore delays the next term of a claim whose callback returned.
	notBefore time.Time
}

// NewLocks returns the locks of this process at the agent addr (host:port).
// Owner, the instance's ID, is stored as the lock key's value. With an empty
// addr there are no competitors, and every Lock is granted at once.
func NewLocks(addr, owner string) (*Locks, error) {
	l := &Locks{owner: owner, log: slog.Default(), claims: map[string]*claim{}, wake: make(chan struct{}, 1)}
	if addr == "" {
		return l, nil
	}
	var err error
	if l.client, err = newClient(addr); err != nil {
		return nil, err
	}
	return l, nil
}

// Lock calls lead whenever this process is the leader for name, until ctx ends.
// The context passed to lead ends when the lock is lost, or when Consul can't
// be reached for the session's TTL; lead must then return. If lead returns
// earlier, the lock is released and requested again after a second. Run must be
// running, and a process must not call Lock twice for one name.
func (l *Locks) Lock(ctx context.Context, name string, lead func(ctx context.Context)) {
	if l.client == nil {
		for ctx.Err() == nil {
			lead(ctx)
			clock.Sleep(ctx, contendInterval)
		}
		return
	}
	c := &claim{granted: make(chan context.Context, 1)}
	l.mu.Lock()
	l.claims[name] = c
	l.mu.Unlock()
	l.notify()
	defer func() {
		l.mu.Lock()
		delete(l.claims, name)
		l.mu.Unlock()
		l.giveUp(name, c)
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case term := <-c.granted:
			if term.Err() == nil {
				l.serve(ctx, term, lead)
			}
			l.giveUp(name, c)
		}
	}
}

// serve calls lead with a context that ends with either ctx or the term.
func (l *Locks) serve(ctx, term context.Context, lead func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(term, cancel)()
	lead(ctx)
}

// giveUp ends the current term, if any, and releases the lock.
func (l *Locks) giveUp(name string, c *claim) {
	l.mu.Lock()
	c.notBefore = time.Now().Add(contendInterval)
	end, session := c.end, c.session
	c.end = nil
	l.mu.Unlock()
	if end == nil {
		return
	}
	end()
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	// Consul refuses the release if another session now holds the lock.
	_, _, err := l.client.KV().Release(
		&api.KVPair{Key: lockPrefix + name, Value: []byte(l.owner), Session: session}, (&api.WriteOptions{}).WithContext(ctx))
	if err != nil {
		l.log.WarnContext(ctx, "consul: release lock failed", "lock", name, "error", err)
	}
}

func (l *Locks) notify() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run holds a session and contends for the names given to Lock until ctx ends.
// It then releases everything and returns nil.
func (l *Locks) Run(ctx context.Context) error {
	if l.client == nil {
		<-ctx.Done()
		return nil
	}
	var b backoff
	for ctx.Err() == nil {
		start := time.Now()
		id, err := l.createSession(ctx)
		if err != nil {
			if b.next == 0 && ctx.Err() == nil {
				l.log.WarnContext(ctx, "consul: create session failed, not leading", "error", err)
			}
			b.wait(ctx)
			continue
		}
		b.reset()
		l.hold(ctx, id, start)
		l.endTerms()
		l.destroySession(context.WithoutCancel(ctx), id)
		clock.Sleep(ctx, backoffMin)
	}
	return nil
}

func (l *Locks) createSession(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// No checks: a session bound to the node's serf health would end on a brief
	// network failure. The TTL alone decides.
	id, _, err := l.client.Session().CreateNoChecks(&api.SessionEntry{
		Name: l.owner, TTL: sessionTTL.String(), LockDelay: lockDelay, Behavior: api.SessionBehaviorRelease,
	}, (&api.WriteOptions{}).WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("create session: %w", err)
	}
	return id, nil
}

func (l *Locks) destroySession(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	// Best effort: otherwise the TTL ends it.
	_, _ = l.client.Session().Destroy(id, (&api.WriteOptions{}).WithContext(ctx))
}

// hold renews the session and contends with it until it is lost or ctx ends.
func (l *Locks) hold(ctx context.Context, id string, created time.Time) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer cancel()
		l.renew(ctx, id, created)
	})
	changes := make(chan map[string]string)
	wg.Go(func() { l.watch(ctx, changes) })
	l.contend(ctx, id, changes)
	wg.Wait()
}

// renew returns when the session is lost: either Consul says so, or no renewal
// succeeded for the TTL, counted from when the last good renewal was sent.
func (l *Locks) renew(ctx context.Context, id string, last time.Time) {
	for {
		clock.Sleep(ctx, renewInterval)
		if ctx.Err() != nil {
			return
		}
		sent := time.Now()
		attempt, cancel := context.WithDeadline(ctx, last.Add(sessionTTL))
		entry, _, err := l.client.Session().Renew(id, (&api.WriteOptions{}).WithContext(attempt))
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && entry == nil:
			l.log.WarnContext(ctx, "consul: session lost, stepping down")
			return
		case err == nil:
			last = sent
		case time.Since(last) >= sessionTTL-renewInterval:
			l.log.WarnContext(ctx, "consul: renew session failed, stepping down", "error", err)
			return
		}
	}
}

// watch sends a map of lock names to the sessions that hold them after every
// change.
func (l *Locks) watch(ctx context.Context, changes chan<- map[string]string) {
	var (
		index uint64
		b     backoff
	)
	for ctx.Err() == nil {
		attempt, cancel := context.WithTimeout(ctx, waitTime+waitTime/16+requestTimeout)
		pairs, meta, err := l.client.KV().List(lockPrefix,
			(&api.QueryOptions{WaitIndex: index, WaitTime: waitTime, RequireConsistent: true}).WithContext(attempt))
		cancel()
		if err != nil {
			index = 0
			b.wait(ctx)
			continue
		}
		b.reset()
		if meta.LastIndex < index {
			index = 0
		} else {
			index = meta.LastIndex
		}
		holders := make(map[string]string, len(pairs))
		for _, p := range pairs {
			holders[p.Key[len(lockPrefix):]] = p.Session
		}
		select {
		case changes <- holders:
		case <-ctx.Done():
		}
		clock.Sleep(ctx, minPause)
	}
}

// contend acquires free locks and ends the terms of lost ones.
func (l *Locks) contend(ctx context.Context, id string, changes <-chan map[string]string) {
	ticker := time.NewTicker(contendInterval)
	defer ticker.Stop()
	var holders map[string]string
	for {
		select {
		case <-ctx.Done():
			return
		case holders = <-changes:
			l.endLost(ctx, id, holders)
		case <-ticker.C:
		case <-l.wake:
		}
		if holders == nil {
			continue
		}
		for _, name := range l.wanted(holders, id) {
			if ctx.Err() != nil {
				return
			}
			if l.acquire(ctx, id, name) {
				holders[name] = id
				l.grant(ctx, id, name)
			}
		}
	}
}

// wanted returns the names without a term that no other session holds.
func (l *Locks) wanted(holders map[string]string, id string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	var names []string
	for name, c := range l.claims {
		if h := holders[name]; c.end == nil && (h == "" || h == id) && now.After(c.notBefore) {
			names = append(names, name)
		}
	}
	return names
}

func (l *Locks) acquire(ctx context.Context, id, name string) bool {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	ok, _, err := l.client.KV().Acquire(
		&api.KVPair{Key: lockPrefix + name, Value: []byte(l.owner), Session: id}, (&api.WriteOptions{}).WithContext(ctx))
	return err == nil && ok
}

// grant starts a term that ends with ctx, the session's lifetime.
func (l *Locks) grant(ctx context.Context, id, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.claims[name]
	if !ok || c.end != nil {
		return
	}
	term, end := context.WithCancel(ctx)
	select {
	case c.granted <- term:
		c.end, c.session = end, id
		l.log.InfoContext(ctx, "leading", "lock", name)
	default:
		end()
	}
}

// endLost ends the terms whose lock another session holds. The watch may lag
// behind our own acquisitions, so endLost first asks Consul again. While Consul
// does not answer, the renewal decides.
func (l *Locks) endLost(ctx context.Context, id string, holders map[string]string) {
	l.mu.Lock()
	var suspects []string
	for name, c := range l.claims {
		if c.end != nil && holders[name] != id {
			suspects = append(suspects, name)
		}
	}
	l.mu.Unlock()
	for _, name := range suspects {
		attempt, cancel := context.WithTimeout(ctx, requestTimeout)
		pair, _, err := l.client.KV().Get(lockPrefix+name, (&api.QueryOptions{RequireConsistent: true}).WithContext(attempt))
		cancel()
		if err != nil || (pair != nil && pair.Session == id) {
			holders[name] = id
			continue
		}
		l.mu.Lock()
		if c, ok := l.claims[name]; ok && c.end != nil {
			c.end()
		}
		l.mu.Unlock()
	}
}

func (l *Locks) endTerms() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.claims {
		if c.end != nil {
			c.end()
		}
	}
}
