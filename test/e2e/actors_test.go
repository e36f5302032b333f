package e2e

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/test/client"
)

const password = "correct horse battery"

// account is a registered and logged-in user.
type account struct {
	*client.Client
	user client.User
}

func newEmail() string { return "e2e-" + uuid.NewString() + "@frontrow.example" }

func newKey() string { return "e2e-" + uuid.NewString() }

// newBuyer registers a customer and logs in.
func newBuyer(t *testing.T) account {
	t.Helper()
	a, err := register(t)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newBuyers registers n customers at once.
func newBuyers(t *testing.T, n int) []account {
	t.Helper()
	buyers := make([]account, n)
	concurrently(t, n, func(i int) (err error) {
		buyers[i], err = register(t)
		return err
	})
	return buyers
}

// concurrently calls do with 0 to n-1, four at a time. An error ends the test.
func concurrently(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	errs := make([]error, n)
	slots := make(chan struct{}, 4)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = do(i)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func register(t *testing.T) (account, error) {
	c, email := visitor(), newEmail()
	if err := c.Register(t.Context(), email, password, "Buyer"); err != nil {
		return account{}, fmt.Errorf("register: %w", err)
	}
	return login(t, email)
}

// login logs in to an account with the usual password.
func login(t *testing.T, email string) (account, error) {
	c := visitor()
	session, err := c.Login(t.Context(), email, password)
	if err != nil {
		return account{}, fmt.Errorf("log in: %w", err)
	}
	return account{c.WithSession(session.SessionID), session.User}, nil
}

// verify verifies the e-mails of buyers, who will pay while mail can't reach
// them. Otherwise client.Pay does it. It returns when the gateway knows.
func verify(t *testing.T, buyers ...account) {
	t.Helper()
	concurrently(t, len(buyers), func(i int) error {
		_, err := buyers[i].Pay(t.Context(), newEventID(), "pm_ok", "")
		if client.IsCode(err, "not_found") {
			return nil
		}
		return fmt.Errorf("pay for no booking: got %w, want not_found", err)
	})
}

// newOrganizer registers a user to whom the admin gives the organizer role.
func newOrganizer(t *testing.T) account {
	t.Helper()
	a := newBuyer(t)
	setRole(t, a, "organizer")
	return must(login(t, a.user.Email))(t) // the new role begins with a new session
}

// setRole gives an account a role. The admin logs in first: it takes a session
// whose password was entered a short while ago.
func setRole(t *testing.T, a account, role string) {
	t.Helper()
	session := must(admin.Login(t.Context(), running.AdminEmail, running.AdminPassword))(t)
	must(admin.WithSession(session.SessionID).SetRole(t.Context(), a.user.ID, role))(t)
}

// must returns a call's value and ends the test on its error:
// must(c.Me(ctx))(t).
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// wantCode fails the test unless err is the problem with this status and code.
func wantCode(t testing.TB, err error, status int, code string) {
	t.Helper()
	_ = problemWith(t, err, status, code)
}

// problemWith is wantCode for callers that check more of the problem.
func problemWith(t testing.TB, err error, status int, code string) *client.Problem {
	t.Helper()
	p := client.AsProblem(err)
	if p == nil || p.Status != status || p.Code != code {
		t.Fatalf("got %v, want %d %s", err, status, code)
	}
	return p
}
