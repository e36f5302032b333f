package auth

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

func TestUnknownEmailAndWrongPasswordGetTheSameAnswerForTheSameWork(t *testing.T) {
	s, w, _ := newService(t)
	_, err := s.Login(t.Context(), rest.Credentials{Email: email, Password: "wrong password"}, client)
	if !errors.Is(err, ErrInvalidCredentials) {
		t.Fatalf("wrong password: %v", err)
	}
	wrong := w.take()
	_, err = s.Login(t.Context(), rest.Credentials{Email: "nobody@example.com", Password: "wrong password"}, client)
	if !errors.Is(err, ErrInvalidCredentials) {
		t.Fatalf("unknown e-mail: %v", err)
	}
	if unknown := w.take(); len(wrong) != 1 || !cmp.Equal(wrong, unknown, cmp.AllowUnexported(derivation{})) {
		t.Errorf("work for a wrong password %+v, for an unknown e-mail %+v", wrong, unknown)
	}
}

func TestLoginTakesTheEmailInAnyCase(t *testing.T) {
	s, _, _ := newService(t)
	l, err := s.Login(t.Context(), rest.Credentials{Email: "  ADA@Example.COM ", Password: password}, client)
	if err != nil || l.Account.Email != email {
		t.Errorf("Login = %+v, %v", l, err)
	}
}

func TestOverlongPasswordCostsNoMoreThanShortOne(t *testing.T) {
	s, w, _ := newService(t)
	if _, err := s.Login(t.Context(), rest.Credentials{Email: email, Password: strings.Repeat("x", 200_000)}, client); !errors.Is(err, ErrInvalidCredentials) {
		t.Errorf("Login = %v", err)
	}
	if n := len(w.take()); n != 1 {
		t.Errorf("%d hashes, want 1", n)
	}
}

func TestGuessingIsRefusedEvenWithTheRightPasswordUntilTheWindowEnds(t *testing.T) {
	s, w, c := newService(t)
	var wg sync.WaitGroup
	for range 3 * FailuresOfOneAccount {
		wg.Go(func() { _, _ = s.Login(t.Context(), rest.Credentials{Email: email, Password: "guess"}, client) })
	}
	wg.Wait()
	// As many hashes may run at once as there are slots.
	if n := len(w.take()); n > FailuresOfOneAccount+cap(s.Hasher.slots) {
		t.Errorf("%d guesses sent at once were tried, want about %d", n, FailuresOfOneAccount)
	}
	var tooMany *TooManyError
	if _, err := s.Login(t.Context(), rest.Credentials{Email: email, Password: password}, client); !errors.As(err, &tooMany) || tooMany.RetryAfter <= 0 {
		t.Fatalf("Login = %v, want TooManyError", err)
	}
	if len(w.take()) != 0 {
		t.Error("a refused attempt was hashed")
	}
	c.Advance(FailureWindow + time.Second)
	if _, err := s.Login(t.Context(), rest.Credentials{Email: email, Password: password}, client); err != nil {
		t.Errorf("after the window: %v", err)
	}
}
