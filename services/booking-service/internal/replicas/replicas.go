// Package replicas determines which replica of booking-service owns an event,
// and forwards commands to it.
package replicas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/rendezvous"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// Paths of requests between replicas.
const (
	CommandsPath = "/internal/v1/commands"
	BookingsPath = "/internal/v1/bookings"
)

const (
	maxBody = 8 << 20
	// listTimeout limits the requests for a user's bookings.
	listTimeout = time.Second
)

// Replicas are the replicas of booking-service.
type Replicas struct {
	self      string
	instances func() []consul.Instance
	signer    *identity.Signer
	client    *http.Client
}

// New returns the replicas as seen by the one with the id self. instances
// returns all of them. They authenticate to each other with tokens from signer,
// which uses the clock now.
func New(self string, instances func() []consul.Instance, signer *identity.Signer, now func() time.Time) *Replicas {
	return &Replicas{
		self: self, instances: instances, signer: signer.At(now),
		client: &http.Client{Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 500 * time.Millisecond}).DialContext,
			MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute,
		}},
	}
}

// Owner implements eventlog.Replicas.
func (r *Replicas) Owner(id eventlog.ID) string {
	key := rendezvous.Event(id.UUID())
	var best consul.Instance
	var highest uint64
	for _, in := range r.instances() {
		if score := rendezvous.Score(key, rendezvous.Hash(in.ID)); best.ID == "" || score > highest {
			best, highest = in, score
		}
	}
	if best.ID == r.self {
		return ""
	}
	return best.Addr
}

// Send implements eventlog.Replicas.
func (r *Replicas) Send(ctx context.Context, addr string, commands []*logpb.Command) (answers []*logpb.Answer, sent bool, err error) {
	body, err := proto.Marshal(&logpb.Commands{Commands: commands})
	if err != nil {
		return nil, false, err
	}
	data, err := r.ask(ctx, http.MethodPost, "http://"+addr+CommandsPath, body)
	if err != nil {
		var op *net.OpError
		return nil, !errors.As(err, &op) || op.Op != "dial", err
	}
	var got logpb.Answers
	if err := proto.Unmarshal(data, &got); err != nil {
		return nil, true, err
	}
	return got.GetAnswers(), true, nil
}

func (r *Replicas) ask(ctx context.Context, method, address string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set(identity.Header, r.signer.Sign(identity.Identity{Role: identity.Service}))
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return data, err
}

// BookingsOf requests a user's bookings in the events that the other replicas
// have in memory. It omits replicas that do not answer.
func (r *Replicas) BookingsOf(ctx context.Context, user uuid.UUID) []eventlog.ListedBooking {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	var group sync.WaitGroup
	var mu sync.Mutex
	var all []eventlog.ListedBooking
	for _, in := range r.instances() {
		if in.ID == r.self {
			continue
		}
		group.Go(func() {
			data, err := r.ask(ctx, http.MethodGet, "http://"+in.Addr+BookingsPath+"?user="+url.QueryEscape(user.String()), nil)
			var some []eventlog.ListedBooking
			if err != nil || json.Unmarshal(data, &some) != nil {
				return
			}
			mu.Lock()
			all = append(all, some...)
			mu.Unlock()
		})
	}
	group.Wait()
	return all
}

// Commands returns the handler for commands forwarded by other replicas.
func Commands(engine *eventlog.Engine) httpapi.Handler {
	return func(w http.ResponseWriter, req *http.Request) error {
		var commands logpb.Commands
		data, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
		if err == nil {
			err = proto.Unmarshal(data, &commands)
		}
		if err != nil {
			return problem.New(http.StatusBadRequest, problem.CodeMalformedRequest, "The body is not a list of commands.").Because(err)
		}
		answers, err := proto.Marshal(&logpb.Answers{Answers: engine.Receive(req.Context(), commands.GetCommands())})
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/protobuf")
		_, _ = w.Write(answers)
		return nil
	}
}

// Bookings returns the handler that serves a user's bookings to other replicas.
func Bookings(engine *eventlog.Engine) httpapi.Handler {
	return func(w http.ResponseWriter, req *http.Request) error {
		user, err := uuid.Parse(req.URL.Query().Get("user"))
		if err != nil {
			return problem.Invalid(problem.Field{Field: "user", Code: "invalid", Message: "must be a user id"})
		}
		return httpapi.WriteJSON(w, http.StatusOK, engine.BookingsOf(user))
	}
}
