package main

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/services/auth-service/migrations"
)

func TestMigrateRefusesAnAdminWhoIsNone(t *testing.T) {
	s := start(t)
	_, email := s.register()
	for name, c := range map[string]struct{ email, password, want string }{
		"a customer's e-mail":      {strings.ToUpper(email), adminPassword, "has the role customer"},
		"a short password":         {testkit.Unique("a") + "@example.com", "elevenchars", "validation_failed"},
		"a common password":        {testkit.Unique("a") + "@example.com", "1234567891011", "validation_failed"},
		"something like an e-mail": {"admin", adminPassword, "email"},
	} {
		err := migrate(t.Context(), migrateConfig{PostgresURL: s.db, AdminEmail: c.email, AdminPassword: c.password})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	var admins int
	s.query(`SELECT count(*) FROM accounts WHERE role = 'admin'`).scan(&admins)
	if admins != 1 {
		t.Errorf("%d admins", admins)
	}
}

func TestAdminNeedsALongPassword(t *testing.T) {
	s := start(t)
	admin := identity.Identity{UserID: s.adminID(), Role: identity.Admin, Recent: true}
	user, email := s.register()
	path := "/users/" + user.UserID.String() + "/role"
	s.want(s.call(user, "PUT", "/me/password", `{"current_password":"`+password+`","password":"eleven char"}`), 204, "")
	s.want(s.call(admin, "PUT", path, `{"role":"admin"}`), 409, "password_too_short")
	s.want(s.call(admin, "PUT", path, `{"role":"organizer"}`), 200, "")
	s.want(s.call(user, "PUT", "/me/password", `{"current_password":"eleven char","password":"`+password+`"}`), 204, "")
	s.want(s.call(admin, "PUT", path, `{"role":"admin"}`), 200, "")
	s.want(s.call(user, "PUT", "/me/password", `{"current_password":"`+password+`","password":"eleven char"}`), 422, "validation_failed")
	s.want(s.call(anonymous, "POST", "/password-reset", `{"email":"`+email+`"}`), 202, "")
	secret := s.mail(user.UserID, "reset_password").Token
	s.want(s.call(anonymous, "POST", "/password-reset/confirm", `{"token":"`+secret+`","password":"eleven char"}`), 422, "validation_failed")
}

// Accounts that were registered before e-mails had to be verified can pay after
// the upgrade.
func TestAccountsFromBeforeAreVerified(t *testing.T) {
	url := database(t)
	data, err := migrations.Files.ReadFile("00010_accounts.sql")
	if err != nil {
		t.Fatal(err)
	}
	first := fstest.MapFS{"00010_accounts.sql": {Data: data}}
	if err := postgres.Migrate(t.Context(), url, first, postgres.Idempotency); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), `INSERT INTO accounts (id, email, name, role, password_hash, created_at)
		VALUES (gen_random_uuid(), 'ada@example.com', 'Ada', 'customer', 'x', now())`)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), migrateConfig{PostgresURL: url}); err != nil {
		t.Fatal(err)
	}
	var verified, long bool
	var language string
	err = conn.QueryRow(t.Context(), `SELECT email_verified_at IS NOT NULL, long_password, language FROM accounts`).Scan(&verified, &long, &language)
	if err != nil || !verified || long || language != "en" {
		t.Errorf("verified %v, long password %v, language %q, %v", verified, long, language, err)
	}
}
