package auth

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/argon2"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// memoryAccounts implements as much of Accounts as a log-in needs.
type memoryAccounts struct {
	Accounts
	mu      sync.Mutex
	byEmail map[string]Account
}

func (m *memoryAccounts) Add(_ context.Context, a Account, _ Effects) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.byEmail[a.Email]; ok {
		return ErrEmailTaken
	}
	m.byEmail[a.Email] = a
	return nil
}

func (m *memoryAccounts) ByEmail(_ context.Context, email string) (Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a, ok := m.byEmail[email]; ok {
		return a, nil
	}
	return Account{}, ErrNotFound
}

func (m *memoryAccounts) Change(_ context.Context, id uuid.UUID, fn Change) (Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for email, a := range m.byEmail {
		if a.ID == id {
			_, err := fn(&a)
			if err == nil {
				m.byEmail[email] = a
			}
			return a, err
		}
	}
	return Account{}, ErrNotFound
}

func (m *memoryAccounts) Record(context.Context, Effects) error { return nil }

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

func testKeys(t *testing.T) *Keys {
	t.Helper()
	keys, err := NewKeys(testkit.Seed(t))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// newService returns a service with one account.
func newService(t *testing.T) (*Service, *work, *clock.Manual) {
	t.Helper()
	w := &work{}
	c := clock.NewManual(time.Now())
	s := &Service{
		Accounts: &memoryAccounts{byEmail: map[string]Account{}}, Sessions: noSessions{}, Keys: testKeys(t),
		Hasher: NewHasher(), Now: c.Now,
	}
	s.Limits = &Limits{Counters: &MemoryCounters{Clock: c}, Keys: s.Keys}
	s.Hasher.derive = w.derive
	if err := s.Register(t.Context(), Caller{Client: client}, rest.Registration{Email: email, Password: password, Name: "Ada"}); err != nil {
		t.Fatal(err)
	}
	w.take()
	return s, w, c
}
