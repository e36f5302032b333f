package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

const (
	// forwardTimeout limits one batch.
	forwardTimeout = 3 * time.Second
	// forwardConcurrency is the number of concurrent batches to one replica.
	forwardConcurrency = 2
	// forwardBatch limits the commands in a batch.
	forwardBatch = 256
	// avoidFor is how long a failed replica gets no commands.
	avoidFor = 2 * time.Second
)

var errAvoided = errors.New("replica failed recently")

// forwarder sends commands to the replicas that own their logs, in batches: all
// commands that arrive while a batch is in progress form the next one.
type forwarder struct {
	send func(ctx context.Context, addr string, commands []*logpb.Command) ([]*logpb.Answer, bool, error)

	mu     sync.Mutex
	queues map[string]*replicaQueue
}

// replicaQueue is the queue for one replica.
type replicaQueue struct {
	addr     string
	calls    []*call
	inFlight int
	avoid    time.Time
}

// do sends a command to the replica at addr to decide. Sent is false if it
// cannot have taken effect there.
func (f *forwarder) do(ctx context.Context, addr string, command *logpb.Command) (answer *logpb.Answer, sent bool, err error) {
	c := newCall(ctx, command)
	f.mu.Lock()
	if f.queues == nil {
		f.queues = map[string]*replicaQueue{}
	}
	q := f.queues[addr]
	if q == nil {
		q = &replicaQueue{addr: addr}
		f.queues[addr] = q
	}
	if time.Now().Before(q.avoid) {
		f.mu.Unlock()
		return nil, false, errAvoided
	}
	q.calls = append(q.calls, c)
	if q.inFlight < forwardConcurrency {
		q.inFlight++
		go f.run(q)
	}
	f.mu.Unlock()
	answer, err = c.wait()
	return answer, !errors.Is(err, ErrUnavailable), err
}

// run sends batches until the queue is empty.
func (f *forwarder) run(q *replicaQueue) {
	for {
		f.mu.Lock()
		n := min(len(q.calls), forwardBatch)
		if n == 0 {
			q.inFlight--
			f.mu.Unlock()
			return
		}
		batch := make([]*call, 0, n)
		for _, c := range q.calls[:n] {
			if c.claim() {
				batch = append(batch, c)
			}
		}
		q.calls = append([]*call(nil), q.calls[n:]...)
		f.mu.Unlock()
		if len(batch) > 0 && !f.batch(q.addr, batch) {
			f.mu.Lock()
			q.avoid = time.Now().Add(avoidFor)
			f.mu.Unlock()
		}
	}
}

// batch sends calls and finishes them. It reports whether the replica answered.
func (f *forwarder) batch(addr string, batch []*call) bool {
	ctx, cancel := context.WithTimeout(context.Background(), forwardTimeout)
	defer cancel()
	commands := make([]*logpb.Command, len(batch))
	for i, c := range batch {
		commands[i] = c.command
	}
	answers, sent, err := f.send(ctx, addr, commands)
	if err == nil && len(answers) != len(batch) {
		err, sent = fmt.Errorf("%d answers to %d commands", len(answers), len(batch)), true
	}
	if err != nil {
		kind := ErrUnavailable
		if sent {
			kind = ErrUnknown
		}
		for _, c := range batch {
			c.finish(nil, fmt.Errorf("%w: %w", kind, err))
		}
		return false
	}
	for i, c := range batch {
		if err := answerError(answers[i]); err != nil {
			c.finish(nil, err)
			continue
		}
		c.finish(answers[i], nil)
	}
	return true
}
