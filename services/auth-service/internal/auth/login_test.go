package auth

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUnknownEmailAndWrongPasswordGetTheSameAnswerForTheSameWork(t *testing.T) {
	s, w, _ := newService(t)
	_, err := s.Login(t.Context(), email, "wrong password", "192.0.2.1")
	if !errors.Is(err, ErrInvalidCredentials) {
		t.Fatalf("wrong password: %v", err)
	}
	wrong := w.take()
	_, err = s.Login(t.Context(), "nobody@example.com", "wrong password", "192.0.2.1")
	if !errors.Is(err, ErrInvalidCredentials) {
		t.Fatalf("unknown e-mail: %v", err)
	}
	if unknown := w.take(); len(wrong) != 1 || !cmp.Equal(wrong, unknown, cmp.AllowUnexported(derivation{})) {
		t.Errorf("work for a wrong password %+v, for an unknown e-mail %+v", wrong, unknown)
	}
}

func TestLoginTakesTheEmailInAnyCase(t *testing.T) {
	s, _, _ := newService(t)
	l, err := s.Login(t.Context(), "  ADA@Example.COM ", password, "192.0.2.1")
	if err != nil || l.Account.Email != email {
		t.Errorf("Login = %+v, %v", l, err)
	}
}

func TestOverlongPasswordCostsNoMoreThanShortOne(t *testing.T) {
	s, w, _ := newService(t)
	if _, err := s.Login(t.Context(), email, strings.Repeat("x", 200_000), "192.0.2.1"); !errors.Is(err, ErrInvalidCredentials) {
		t.Errorf("Login = %v", err)
	}
	if n := len(w.take()); n != 1 {
		t.Errorf("%d hashes, want 1", n)
	}
}

func TestGuessingIsRefusedEvenWithTheRightPasswordUntilTheWindowEnds(t *testing.T) {
	s, w, c := newService(t)
	var wg sync.WaitGroup
	for range 3 * MaxFailuresPerAccount {
		wg.Go(func() { _, _ = s.Login(t.Context(), email, "guess", "192.0.2.1") })
	}
	wg.Wait()
	// As many hashes may run at once as there are slots.
	if n := len(w.take()); n > MaxFailuresPerAccount+cap(s.Hasher.slots) {
		t.Errorf("%d guesses sent at once were tried, want about %d", n, MaxFailuresPerAccount)
	}
	var tooMany *TooManyError
	if _, err := s.Login(t.Context(), email, password, "192.0.2.2"); !errors.As(err, &tooMany) || tooMany.RetryAfter <= 0 {
		t.Fatalf("Login = %v, want TooManyError", err)
	}
	if len(w.take()) != 0 {
		t.Error("a refused attempt was hashed")
	}
	c.Advance(Window + time.Second)
	if _, err := s.Login(t.Context(), email, password, "192.0.2.1"); err != nil {
		t.Errorf("after the window: %v", err)
	}
}
