package peer_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/peer"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/pkg/rendezvous"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

const path = "/internal/v1/things/"

type thing struct{ ID uuid.UUID }

// service is a fake service with one key.
type service struct {
	signer   *identity.Signer
	verifier *identity.Verifier
	replicas []consul.Instance
}

func newService(t *testing.T) *service {
	t.Helper()
	signer, key := testkit.Signer(t, "things")
	verifier, err := identity.NewVerifier("things", key)
	if err != nil {
		t.Fatal(err)
	}
	return &service{signer: signer, verifier: verifier}
}

// add starts a replica that answers with handler.
func (s *service) add(t *testing.T, handler http.Handler) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s.replicas = append(s.replicas, consul.Instance{
		ID: "things-" + strconv.Itoa(len(s.replicas)), Addr: strings.TrimPrefix(server.URL, "http://"),
	})
}

// answering returns a replica's handler that requires an identity.
func (s *service) answering(h httpapi.Handler) http.Handler {
	api := httpapi.New(s.verifier)
	api.Handle(http.MethodGet, path+"{id}", httpapi.ForServices(h))
	return api
}

func (s *service) get(ctx context.Context, id uuid.UUID) (thing, error) {
	c := peer.NewClient("things", func() []consul.Instance { return s.replicas }, s.signer, 10*time.Second)
	return peer.Get(ctx, c, identity.Identity{Role: identity.Service}, path, id, func(v thing) bool { return v.ID == id })
}

func TestFirstValidAnswerIsReturned(t *testing.T) {
	s := newService(t)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	s.replicas = append(s.replicas, consul.Instance{ID: "closed", Addr: strings.TrimPrefix(closed.URL, "http://")})
	s.add(t, http.NotFoundHandler()) // a version without the path
	s.add(t, s.answering(func(w http.ResponseWriter, _ *http.Request) error {
		return httpapi.WriteJSON(w, http.StatusOK, thing{uuid.New()})
	}))
	var refusal *peer.Refusal
	if _, err := s.get(t.Context(), uuid.New()); err == nil || errors.As(err, &refusal) {
		t.Errorf("no replica knew of it, and the answer is %v", err)
	}
	s.add(t, s.answering(func(w http.ResponseWriter, r *http.Request) error {
		id, err := httpapi.PathUUID(r, "id", "It")
		if err != nil {
			return err
		}
		return httpapi.WriteJSON(w, http.StatusOK, thing{id})
	}))
	for range 20 { // each id gives another order
		id := uuid.New()
		if got, err := s.get(t.Context(), id); err != nil || got.ID != id {
			t.Fatalf("%+v %v", got, err)
		}
	}
}

func TestOwnerIsAskedFirstAndItsRefusalIsFinal(t *testing.T) {
	for name, refusal := range map[int]error{
		http.StatusNotFound: problem.NotFound("It"),
		http.StatusConflict: problem.New(http.StatusConflict, problem.CodeBookingNotPayable, "It has ended."),
	} {
		s := newService(t)
		var asked [3]atomic.Int32
		for n := range asked {
			s.add(t, s.answering(func(http.ResponseWriter, *http.Request) error {
				asked[n].Add(1)
				return refusal
			}))
		}
		var want [3]int32
		for range 30 {
			id := uuid.New()
			owner, best := 0, uint64(0)
			for n, i := range s.replicas {
				if score := rendezvous.Score(rendezvous.Event(id), rendezvous.Hash(i.ID)); score >= best {
					owner, best = n, score
				}
			}
			want[owner]++
			var refused *peer.Refusal
			if _, err := s.get(t.Context(), id); !errors.As(err, &refused) || refused.Status != name {
				t.Fatal(err)
			}
		}
		for n := range asked {
			if got := asked[n].Load(); got != want[n] {
				t.Errorf("replica %d was asked %d times, and owns %d", n, got, want[n])
			}
		}
	}
}

func TestCallerThatHasLeftEndsTheRequest(t *testing.T) {
	s := newService(t)
	s.add(t, http.NotFoundHandler())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.get(gone, uuid.New()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
