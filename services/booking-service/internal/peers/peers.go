// Package peers hands what arrives at one replica of booking-service to the
// replica that its block of seats belongs to, where the gateway sends the
// holds of that block as well: so that one committer has a block's changes
// together and nobody is in its way. It is for speed alone: whatever does not
// get through is done here.
package peers

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/rendezvous"
)

// Path is where a replica takes what others hand to it.
const Path = "/internal/v1/payments"

const (
	// handOver bounds one request; after it the messages are handled here, and a
	// second time there at worst, which changes nothing.
	handOver = 3 * time.Second
	// avoidFor is how long a replica that did not answer is left alone.
	avoidFor = 2 * time.Second
	maxBody  = 4 << 20
)

// Peers are the replicas of booking-service.
type Peers struct {
	self      string
	instances func() []consul.Instance
	secret    string
	client    *http.Client
	// avoided has, by address, until when a replica is left alone.
	avoided sync.Map
}

// New returns the peers of the replica with an id, as instances names them all.
// They know each other by a secret derived from key, which they share.
func New(self string, instances func() []consul.Instance, key string) *Peers {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("frontrow booking peers"))
	return &Peers{
		self: self, instances: instances, secret: "Bearer " + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
		client: &http.Client{Timeout: handOver, Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}},
	}
}

// owner returns the address of the replica that a block belongs to; empty when
// it is this one or nobody else is known.
func (p *Peers) owner(event uuid.UUID, block int) string {
	key := rendezvous.Block(event, block)
	var best consul.Instance
	var highest uint64
	for _, in := range p.instances() {
		if score := rendezvous.Score(key, rendezvous.Hash(in.ID)); best.ID == "" || score > highest {
			best, highest = in, score
		}
	}
	if best.ID == p.self {
		return ""
	}
	if until, ok := p.avoided.Load(best.Addr); ok && time.Now().Before(until.(time.Time)) { //nolint:forcetypeassert // only times are stored
		return ""
	}
	return best.Addr
}

// place is what all payloads of payment_processed have.
type place struct {
	EventID   uuid.UUID `json:"event_id"`
	HomeBlock int       `json:"home_block"`
}

// Share returns a handler that hands the messages of blocks that belong to
// other replicas to these, and the rest, with what came back undone, to local.
func (p *Peers) Share(local kafka.Handler) kafka.Handler {
	return func(ctx context.Context, batch []kafka.Message) error {
		byOwner := map[string][]int{}
		for i := range batch {
			var at place
			owner := ""
			if json.Unmarshal(batch[i].Data, &at) == nil {
				owner = p.owner(at.EventID, at.HomeBlock)
			}
			byOwner[owner] = append(byOwner[owner], i)
		}
		errs := make([]error, len(batch))
		var group sync.WaitGroup
		for owner, indexes := range byOwner {
			group.Go(func() {
				if owner != "" {
					indexes = p.hand(ctx, owner, batch, indexes)
				}
				handle(ctx, local, batch, indexes, errs)
			})
		}
		group.Wait()
		for _, err := range errs {
			if err != nil {
				return &kafka.BatchError{Errs: errs}
			}
		}
		return nil
	}
}

// handle has local handle some messages of a batch and notes their errors.
func handle(ctx context.Context, local kafka.Handler, batch []kafka.Message, indexes []int, errs []error) {
	if len(indexes) == 0 {
		return
	}
	part := make([]kafka.Message, len(indexes))
	for k, i := range indexes {
		part[k] = batch[i]
	}
	err := local(ctx, part)
	var each *kafka.BatchError
	for k, i := range indexes {
		if errors.As(err, &each) {
			errs[i] = each.Errs[k]
		} else {
			errs[i] = err
		}
	}
}

// hand sends some messages of a batch to another replica and returns those that
// it did not settle.
func (p *Peers) hand(ctx context.Context, addr string, batch []kafka.Message, indexes []int) (left []int) {
	part := make([]kafka.Message, len(indexes))
	for k, i := range indexes {
		part[k] = batch[i]
	}
	settled, err := p.send(ctx, addr, part)
	if err != nil || len(settled) != len(indexes) {
		p.avoided.Store(addr, time.Now().Add(avoidFor))
		slog.WarnContext(ctx, "payments are handled here instead of by their block's replica", "replica", addr, "messages", len(part), "error", err)
		return indexes
	}
	for k, i := range indexes {
		if !settled[k] {
			left = append(left, i)
		}
	}
	return left
}

func (p *Peers) send(ctx context.Context, addr string, part []kafka.Message) (settled []bool, err error) {
	body, err := json.Marshal(part)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+Path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", p.secret)
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&settled)
	return settled, err
}

// Receive returns the handler of what other replicas hand over: it answers
// which messages local has settled.
func (p *Peers) Receive(local kafka.Handler) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !hmac.Equal([]byte(r.Header.Get("Authorization")), []byte(p.secret)) {
			return problem.New(http.StatusUnauthorized, "identity_required", "This address is for the replicas of booking-service.")
		}
		var batch []kafka.Message
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&batch); err != nil {
			return problem.New(http.StatusBadRequest, "malformed_json", "The body is no list of messages.").Because(err)
		}
		errs := make([]error, len(batch))
		all := make([]int, len(batch))
		for i := range all {
			all[i] = i
		}
		handle(r.Context(), local, batch, all, errs)
		settled := make([]bool, len(batch))
		for i, err := range errs {
			settled[i] = err == nil
		}
		w.Header().Set("Content-Type", "application/json")
		return json.NewEncoder(w).Encode(settled)
	}
}
