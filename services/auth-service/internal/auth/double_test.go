package auth

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/argon2"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// memoryAccounts implements as much of Accounts as a log-in needs.
type memoryAccounts map[string]Account

func (m memoryAccounts) Add(_ context.Context, a Account, _ IdempotencyKey) (Account, bool, error) {
	if _, ok := m[a.Email]; ok {
		return a, false, ErrEmailTaken
	}
	m[a.Email] = a
	return a, false, nil
}

func (m memoryAccounts) ByEmail(_ context.Context, email string) (Account, error) {
	if a, ok := m[email]; ok {
		return a, nil
	}
	return Account{}, ErrNotFound
}

func (m memoryAccounts) ByID(_ context.Context, id uuid.UUID) (Account, error) {
	for _, a := range m {
		if a.ID == id {
			return a, nil
		}
	}
	return Account{}, ErrNotFound
}

func (m memoryAccounts) Search(context.Context, string, string, int) ([]Account, error) {
	return nil, errors.ErrUnsupported
}

func (m memoryAccounts) WhileUnchanged(ctx context.Context, id uuid.UUID, fn func(Account) error) error {
	a, err := m.ByID(ctx, id)
	if err != nil {
		return err
	}
	return fn(a)
}

func (m memoryAccounts) SetRole(context.Context, uuid.UUID, identity.Role, func(Account) error) (Account, error) {
	return Account{}, errors.ErrUnsupported
}

// noSessions starts sessions that are never used.
type noSessions struct{ Sessions }

func (noSessions) Start(context.Context, Account, Client) (string, time.Time, error) {
	return "id", time.Time{}, nil
}
func (noSessions) End(context.Context, string) error { return nil }

// derivation is the cost of one hash.
type derivation struct {
	time, memory uint32
	threads      uint8
	keyLen       uint32
}

// work records the hashes a hasher computes.
type work struct {
	mu           sync.Mutex
	done         []derivation
	running, top int
}

func (w *work) derive(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
	w.mu.Lock()
	w.done = append(w.done, derivation{time, memory, threads, keyLen})
	w.running++
	w.top = max(w.top, w.running)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.running--
		w.mu.Unlock()
	}()
	return argon2.IDKey(password, salt, time, memory, threads, keyLen)
}

func (w *work) take() []derivation {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.done
	w.done = nil
	return d
}

var client = Client{Address: "192.0.2.1"}

const (
	email    = "ada@example.com"
	password = "correct horse"
)

// newService returns a service with one account.
func newService(t *testing.T) (*Service, *work, *clock.Manual) {
	t.Helper()
	w := &work{}
	c := clock.NewManual(time.Now())
	s := &Service{
		Accounts: memoryAccounts{}, Sessions: noSessions{}, Attempts: &MemoryAttempts{Clock: c},
		Hasher: NewHasher(), Now: c.Now,
	}
	s.Hasher.derive = w.derive
	if _, _, err := s.Register(t.Context(), rest.Registration{Email: email, Password: password, Name: "Ada"}, "", nil); err != nil {
		t.Fatal(err)
	}
	w.take()
	return s, w, c
}
