package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/sync/singleflight"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

const (
	admissionHeader = "Frontrow-Admission"
	// refusedHeader tells booking-service how many requests were refused since it was sent before.
	refusedHeader = "X-Frontrow-Queue-Refused"
	// holdHeader tells booking-service the 99th percentile of the time that holds took since it was sent before,
	// in milliseconds. Only the gateway sees the time that requests wait for a busy processor.
	holdHeader = "X-Frontrow-Hold-P99"

	// queueFresh is how long a known state of a queue is used before it is fetched again, and requiredFresh the
	// same while admissions are required: booking-service then needs the gateways' figures.
	queueFresh    = 2 * time.Second
	requiredFresh = time.Second
	// maxHolds limits the holds whose time is remembered between two fetches.
	maxHolds = 4096
	// queueWait is how long a request waits for the state of a queue of which nothing is known.
	queueWait = time.Second
	// queueTimeout limits a fetch.
	queueTimeout = 5 * time.Second
	// maxQueues limits the events of which a state is kept.
	maxQueues = 10_000
	// maxQueueBody limits a state of a queue, in bytes.
	maxQueueBody = 64 << 10
)

var queueRefused = promauto.NewCounter(prometheus.CounterOpts{
	Name: "gateway_queue_refused_total",
	Help: "Holds and seat streams refused because the event has a queue and the caller no admission.",
})

// admissions keeps requests without an admission away from booking-service while an event's queue requires one.
// It only sheds load: it lets a request through if it does not know, and booking-service decides each hold.
type admissions struct {
	verifier *identity.Verifier
	// fetch asks booking-service whether an event's queue requires an admission, and tells it what happened since
	// the fetch before.
	fetch   func(ctx context.Context, event uuid.UUID, since figures) (bool, error)
	fetches singleflight.Group

	mu     sync.Mutex
	queues *simplelru.LRU[uuid.UUID, queueState]
}

// queueState is what the gateway knows about an event's queue.
type queueState struct {
	required bool
	// refreshAt is when the state is fetched again.
	refreshAt time.Time
	since     figures
}

// figures are what booking-service is told about an event with a queue.
type figures struct {
	// refused counts requests that were refused.
	refused int
	// holds has the time that each hold took.
	holds []time.Duration
}

// p99 returns the 99th percentile of the time that holds took, 0 without any.
func (f figures) p99() time.Duration {
	if len(f.holds) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(f.holds))
	return sorted[(len(sorted)*99-1)/100]
}

func newAdmissions(v *identity.Verifier, fetch func(context.Context, uuid.UUID, figures) (bool, error)) *admissions {
	queues, _ := simplelru.NewLRU[uuid.UUID, queueState](maxQueues, nil) // the only error is a size below 1
	return &admissions{verifier: v, fetch: fetch, queues: queues}
}

// check returns an error if an event's queue requires an admission, and token is not one of the caller.
// Organisers and admins need none. Queued is whether one was required.
func (a *admissions) check(c *call, event, token string) (queued bool, err error) {
	id, err := uuid.Parse(event)
	if err != nil || c.caller.CanOrganize() || !a.required(c.r.Context(), id) {
		return false, nil //nolint:nilerr // booking-service refuses an invalid id
	}
	admission, err := a.verifier.Admission(token)
	if err == nil && admission.Event == id && admission.User == c.caller.UserID {
		return true, nil
	}
	queueRefused.Inc()
	a.count(id, func(f *figures) { f.refused++ })
	return true, problem.New(http.StatusForbidden, problem.CodeQueueRequired,
		"This event has a queue. Enter it, and come back when it is your turn.").
		With("queue", pathOf(queuePath, id.String()))
}

// observe records how long a hold of an event with a queue took.
func (a *admissions) observe(event string, took time.Duration) {
	a.count(uuid.MustParse(event), func(f *figures) {
		if len(f.holds) < maxHolds {
			f.holds = append(f.holds, took)
		}
	})
}

func (a *admissions) count(event uuid.UUID, change func(*figures)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if state, ok := a.queues.Get(event); ok {
		change(&state.since)
		a.queues.Add(event, state)
	}
}

// required reports whether an event's queue requires an admission, by the last known state. While nothing is
// known, it waits for the state up to queueWait.
func (a *admissions) required(ctx context.Context, event uuid.UUID) bool {
	now := time.Now()
	a.mu.Lock()
	state, known := a.queues.Get(event)
	stale := known && now.After(state.refreshAt)
	if stale {
		// One request refreshes the state; the others use it meanwhile.
		refreshing := state
		refreshing.refreshAt = now.Add(state.fresh())
		a.queues.Add(event, refreshing)
	}
	a.mu.Unlock()
	if known && !stale {
		return state.required
	}
	fetched := a.fetches.DoChan(event.String(), func() (any, error) { return a.refresh(event), nil })
	if known {
		return state.required
	}
	timer := time.NewTimer(queueWait)
	defer timer.Stop()
	select {
	case got := <-fetched:
		return got.Val.(bool) //nolint:forcetypeassert // what refresh returns
	case <-timer.C:
		return false
	case <-ctx.Done():
		return false
	}
}

// refresh fetches and stores whether an event's queue requires an admission. Without a response, it stores the
// last known state again.
func (a *admissions) refresh(event uuid.UUID) bool {
	ctx, cancel := context.WithTimeout(context.Background(), queueTimeout)
	defer cancel()
	a.mu.Lock()
	told, _ := a.queues.Peek(event)
	a.mu.Unlock()
	required, err := a.fetch(ctx, event, told.since)
	a.mu.Lock()
	defer a.mu.Unlock()
	state, _ := a.queues.Peek(event)
	if err == nil {
		state.required = required
		state.since.refused = max(0, state.since.refused-told.since.refused)
	}
	state.since.holds = state.since.holds[min(len(told.since.holds), len(state.since.holds)):]
	state.refreshAt = time.Now().Add(state.fresh())
	a.queues.Add(event, state)
	return state.required
}

// fresh returns how long the state is used before it is fetched again.
func (s queueState) fresh() time.Duration {
	if s.required {
		return requiredFresh
	}
	return queueFresh
}

// queueRequired asks booking-service whether an event's queue requires an admission. An event that it does not
// know requires none.
func (s *Server) queueRequired(ctx context.Context, event uuid.UUID, since figures) (bool, error) {
	header := http.Header{}
	if since.refused > 0 {
		header.Set(refusedHeader, strconv.Itoa(since.refused))
	}
	if p99 := since.p99(); p99 > 0 {
		header.Set(holdHeader, strconv.FormatInt(p99.Milliseconds(), 10))
	}
	resp, err := s.request(ctx, queuePath, event.String(), header)
	if err != nil {
		return false, err
	}
	defer resp.Close()
	switch resp.Status {
	case http.StatusOK:
	case http.StatusNotFound:
		return false, nil
	default:
		return false, fmt.Errorf("fetch queue: status %d", resp.Status)
	}
	body, whole, err := resp.ReadAll(maxQueueBody)
	if err != nil || !whole {
		return false, fmt.Errorf("read queue: %w", err)
	}
	var queue struct {
		Required bool `json:"required"`
	}
	if err := json.Unmarshal(body, &queue); err != nil {
		return false, fmt.Errorf("parse queue: %w", err)
	}
	return queue.Required, nil
}
