package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// mails returns the mails about a user that wait in the outbox, oldest first.
func (s *program) mails(user uuid.UUID) (mails []events.AccountMail) {
	s.t.Helper()
	s.query(`SELECT type, payload FROM outbox WHERE topic = $1 AND key = $2 ORDER BY id`, events.TopicAccountMail, user.String()).
		each(func(row pgx.Rows) error {
			var typ string
			var data []byte
			if err := row.Scan(&typ, &data); err != nil {
				return err
			}
			if err := events.Validate(typ, data); err != nil {
				s.t.Error(err)
			}
			var m events.AccountMail
			mails = append(mails, m)
			return json.Unmarshal(data, &mails[len(mails)-1])
		})
	return mails
}

// mail returns the user's newest mail, which must be of this kind.
func (s *program) mail(user uuid.UUID, kind events.MailKind) events.AccountMail {
	s.t.Helper()
	all := s.mails(user)
	if len(all) == 0 || all[len(all)-1].Kind != kind {
		s.t.Fatalf("mails %+v, want the last to be %s", all, kind)
	}
	return all[len(all)-1]
}

// audited returns the actions in the outbox whose actor or subject is the user.
func (s *program) audited(user uuid.UUID) (actions []string) {
	s.t.Helper()
	s.query(`SELECT payload FROM outbox WHERE topic = $1 ORDER BY id`, events.TopicAudit).each(func(row pgx.Rows) error {
		var data []byte
		if err := row.Scan(&data); err != nil {
			return err
		}
		if err := events.Validate(events.TypeAuditEntry, data); err != nil {
			s.t.Error(err)
		}
		var e events.AuditEntry
		if err := json.Unmarshal(data, &e); err != nil {
			return err
		}
		if e.ActorID == user || e.Subject == user.String() {
			actions = append(actions, e.Action)
		}
		return nil
	})
	return actions
}

// wantAudited compares the actions of the user with want, separated by spaces.
func (s *program) wantAudited(user uuid.UUID, want string) {
	s.t.Helper()
	if got := strings.Join(s.audited(user), " "); got != want {
		s.t.Errorf("audited %q, want %q", got, want)
	}
}

// session returns a live session.
func (s *program) session(id string) session.Session {
	s.t.Helper()
	sess, err := s.store.Get(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return sess
}

func token(secret string) string { return `{"token":"` + secret + `"}` }

// recent is the user who has entered the password recently.
func recent(user identity.Identity) identity.Identity {
	user.Recent = true
	return user
}

func TestEmailIsVerifiedByTheMailedTokenOnce(t *testing.T) {
	s := start(t)
	email := testkit.Unique("u") + "@example.com"
	s.want(s.call(anonymous, "POST", "/register", `{"email":"`+email+`","password":"`+password+`","name":"Ada","language":"de"}`), 202, "")
	user := identity.Identity{Email: email}
	s.query(`SELECT id FROM accounts WHERE email = $1`, email).scan(&user.UserID)
	first := s.mail(user.UserID, events.MailVerifyEmail)
	if first.Account.Email != email || first.Account.Language != "de" || first.Account.Name != "Ada" || first.ExpiresAt.IsZero() {
		t.Errorf("mail %+v", first)
	}
	id := s.login(email)
	if s.session(id).Verified {
		t.Error("a session is verified before the e-mail is")
	}
	s.want(s.call(user, "POST", "/verification", ""), 202, "")
	second := s.mail(user.UserID, events.MailVerifyEmail)
	s.want(s.call(anonymous, "POST", "/verification/confirm", token(first.Token)), 410, "link_invalid")
	s.want(s.call(anonymous, "POST", "/password-reset/confirm", `{"token":"`+second.Token+`","password":"a better horse"}`), 410, "link_invalid")
	s.want(s.call(anonymous, "POST", "/verification/confirm", token(second.Token)), 204, "")
	if !s.session(id).Verified {
		t.Error("the open session is not verified")
	}
	s.want(s.call(anonymous, "POST", "/verification/confirm", token(second.Token)), 410, "link_invalid")
	if me := s.want(s.call(user, "GET", "/me", ""), 200, ""); me.body["email_verified"] != true || me.body["language"] != "de" {
		t.Errorf("me = %v", me.body)
	}
	before := len(s.mails(user.UserID))
	if a := s.want(s.call(user, "POST", "/verification", ""), 202, ""); a.body["email"] != email || len(s.mails(user.UserID)) != before {
		t.Errorf("a verified e-mail got another mail: %v", a.body)
	}
	s.wantAudited(user.UserID, "registered login email_verified")
}

func TestLoginIsVerifiedAtOnceWhereVerificationIsOff(t *testing.T) {
	s := start(t, func(c *config) { c.RequireVerified = false })
	_, email := s.register()
	if !s.session(s.login(email)).Verified {
		t.Error("the session is not verified")
	}
}

func TestKnownAndUnknownEmailGetTheSameAnswer(t *testing.T) {
	s := start(t)
	user, email := s.register()
	unknown := testkit.Unique("u") + "@example.com"
	for _, c := range []struct{ path, body string }{
		{"/password-reset", `{"email":"EMAIL"}`},
		{"/register", `{"email":"EMAIL","password":"another horse","name":"Eve"}`},
	} {
		var answers []string
		for _, e := range []string{email, unknown} {
			a := s.want(s.call(anonymous, "POST", c.path, strings.Replace(c.body, "EMAIL", e, 1)), 202, "")
			answers = append(answers, strings.Replace(a.body["email"].(string), e, "EMAIL", 1))
			if len(a.body) != 1 {
				t.Errorf("%s: %v", c.path, a.body)
			}
		}
		if answers[0] != answers[1] {
			t.Errorf("%s: %v", c.path, answers)
		}
	}
	s.mail(user.UserID, events.MailAlreadyRegistered)
	s.login(email) // the second registration changed nothing
	s.wantAudited(user.UserID, "registered login")
}

func TestPasswordResetEndsSessionsAndVerifiesTheEmail(t *testing.T) {
	s := start(t)
	user, email := s.register()
	id := s.login(email)
	verification := s.mail(user.UserID, events.MailVerifyEmail)
	ask := func() string {
		t.Helper()
		s.want(s.call(anonymous, "POST", "/password-reset", `{"email":" `+strings.ToUpper(email)+`"}`), 202, "")
		return s.mail(user.UserID, events.MailResetPassword).Token
	}
	former, secret := ask(), ask()
	confirm := func(secret, replacement string) answer {
		return s.call(anonymous, "POST", "/password-reset/confirm", `{"token":"`+secret+`","password":"`+replacement+`"}`)
	}
	s.want(confirm(former, "a better horse"), 410, "link_invalid")
	s.want(confirm(secret, "password1"), 422, "validation_failed")
	s.want(confirm(secret, "a better horse"), 204, "")
	s.want(confirm(secret, "a third horse"), 410, "link_invalid")
	s.mail(user.UserID, events.MailPasswordChanged)
	if s.role(id) != "" {
		t.Error("a session outlived the reset")
	}
	s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"`+password+`"}`), 401, "invalid_credentials")
	s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"a better horse"}`), 200, "")
	if me := s.call(user, "GET", "/me", ""); me.body["email_verified"] != true {
		t.Errorf("me = %v", me.body)
	}
	s.want(s.call(anonymous, "POST", "/verification/confirm", token(verification.Token)), 410, "link_invalid")
	s.wantAudited(user.UserID, "registered login password_reset login")
}

func TestExpiredTokenIsRefused(t *testing.T) {
	s := start(t)
	user, email := s.register()
	s.want(s.call(anonymous, "POST", "/password-reset", `{"email":"`+email+`"}`), 202, "")
	secret := s.mail(user.UserID, events.MailResetPassword).Token
	s.query(`UPDATE mail_tokens SET expires_at = now() - interval '1 second'`).scan()
	s.want(s.call(anonymous, "POST", "/password-reset/confirm", `{"token":"`+secret+`","password":"a better horse"}`), 410, "link_invalid")
	s.want(s.call(anonymous, "POST", "/password-reset/confirm", `{"token":"x","password":"a better horse"}`), 410, "link_invalid")
}

func TestPasswordChangeNeedsTheCurrentOneAndEndsOtherSessions(t *testing.T) {
	s := start(t)
	user, email := s.register()
	current, other := s.login(email), s.login(email)
	change := func(from, to string) answer {
		return s.call(user, "PUT", "/me/password", `{"current_password":"`+from+`","password":"`+to+`"}`, "Authorization", "Bearer "+current)
	}
	s.want(change("wrong horse", "a better horse"), 409, "wrong_password")
	s.want(change(password, "Password1"), 422, "validation_failed")
	s.want(change(password, "a better horse"), 204, "")
	if s.role(other) != "" || s.role(current) == "" {
		t.Error("a change must end the other sessions and keep this one")
	}
	s.mail(user.UserID, events.MailPasswordChanged)
	s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"`+password+`"}`), 401, "invalid_credentials")
	for range 9 {
		s.want(change("wrong horse", "a third horse"), 409, "wrong_password")
	}
	a := s.want(change("a better horse", "a third horse"), 429, "too_many_attempts")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestEmailChangesWhenBothEmailsAreConfirmed(t *testing.T) {
	s := start(t)
	user, email := s.register()
	owner, taken := s.register()
	id := s.login(email)
	change := func(to string) (old, replacement events.AccountMail) {
		t.Helper()
		s.want(s.call(user, "POST", "/me/email", `{"email":"`+to+`"}`), 403, "reauthentication_required")
		s.want(s.call(recent(user), "POST", "/me/email", `{"email":"`+to+`"}`), 202, "")
		all := s.mails(user.UserID)
		return all[len(all)-2], all[len(all)-1]
	}
	s.want(s.call(recent(user), "POST", "/me/email", `{"email":"`+strings.ToUpper(email)+`"}`), 422, "validation_failed")

	next := testkit.Unique("u") + "@example.net"
	former, _ := change(next)
	old, replacement := change(next)
	if old.Kind != events.MailConfirmOldEmail || old.Account.Email != email || old.NewEmail != next ||
		replacement.Kind != events.MailConfirmNewEmail || replacement.Account.Email != next || replacement.NewEmail != next {
		t.Errorf("mails %+v, %+v", old, replacement)
	}
	confirm := func(secret string) answer {
		return s.call(anonymous, "POST", "/email-change/confirm", token(secret))
	}
	s.want(confirm(former.Token), 410, "link_invalid")
	if a := s.want(confirm(replacement.Token), 200, ""); a.body["status"] != "waiting" {
		t.Errorf("after one confirmation: %v", a.body)
	}
	s.want(confirm(replacement.Token), 410, "link_invalid")
	s.login(email)
	if a := s.want(confirm(old.Token), 200, ""); a.body["status"] != "changed" || s.role(id) != "" {
		t.Errorf("after both confirmations: %v, session %q", a.body, s.role(id))
	}
	if m := s.mail(user.UserID, events.MailEmailChanged); m.Account.Email != email || m.NewEmail != next {
		t.Errorf("notice %+v", m)
	}
	s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"`+password+`"}`), 401, "invalid_credentials")
	s.login(next)
	if me := s.call(user, "GET", "/me", ""); me.body["email"] != next || me.body["email_verified"] != true {
		t.Errorf("me = %v", me.body)
	}

	s.want(s.call(recent(user), "POST", "/me/email", `{"email":"`+taken+`"}`), 202, "")
	s.mail(owner.UserID, events.MailAlreadyRegistered)
	if a := s.want(confirm(s.mail(user.UserID, events.MailConfirmOldEmail).Token), 200, ""); a.body["status"] != "waiting" {
		t.Errorf("a taken e-mail: %v", a.body)
	}
}

func TestEmailThatIsTakenMeanwhileEndsTheChange(t *testing.T) {
	s := start(t)
	user, _ := s.register()
	next := testkit.Unique("u") + "@example.net"
	s.want(s.call(recent(user), "POST", "/me/email", `{"email":"`+next+`"}`), 202, "")
	all := s.mails(user.UserID)
	s.want(s.call(anonymous, "POST", "/register", `{"email":"`+next+`","password":"`+password+`","name":"U"}`), 202, "")
	s.want(s.call(anonymous, "POST", "/email-change/confirm", token(all[len(all)-2].Token)), 200, "")
	s.want(s.call(anonymous, "POST", "/email-change/confirm", token(all[len(all)-1].Token)), 410, "link_invalid")
}

func TestNameAndLanguageChange(t *testing.T) {
	s := start(t)
	user, _ := s.register()
	if a := s.want(s.call(user, "PATCH", "/me", `{"name":" Ada Byron "}`), 200, ""); a.body["name"] != "Ada Byron" || a.body["language"] != "en" {
		t.Errorf("got %v", a.body)
	}
	if a := s.want(s.call(user, "PATCH", "/me", `{"language":"de"}`), 200, ""); a.body["name"] != "Ada Byron" || a.body["language"] != "de" {
		t.Errorf("got %v", a.body)
	}
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"nothing":          {`{}`, 422, "validation_failed"},
		"a blank name":     {`{"name":"  "}`, 422, "validation_failed"},
		"a NUL":            {`{"name":"a\u0000"}`, 422, "validation_failed"},
		"another language": {`{"language":"fr"}`, 422, "validation_failed"},
		"an e-mail":        {`{"email":"x@example.com"}`, 400, "unknown_field"},
	} {
		if a := s.call(user, "PATCH", "/me", c.body); a.status != c.status || a.code() != c.code {
			t.Errorf("%s: got %d %v", name, a.status, a.body)
		}
	}
}

func TestDeletedAccountLeavesAnIDAndNoName(t *testing.T) {
	s := start(t)
	user, email := s.register()
	id := s.login(email)
	s.want(s.call(anonymous, "POST", "/password-reset", `{"email":"`+email+`"}`), 202, "")
	secret := s.mail(user.UserID, events.MailResetPassword).Token
	s.want(s.call(user, "DELETE", "/me", ""), 403, "reauthentication_required")
	s.want(s.call(recent(user), "DELETE", "/me", ""), 204, "")
	if m := s.mail(user.UserID, events.MailAccountDeleted); m.Account.Email != email {
		t.Errorf("notice %+v", m)
	}
	if s.role(id) != "" {
		t.Error("a session outlived the account")
	}
	var stored string
	s.query(`SELECT row_to_json(accounts)::text FROM accounts WHERE id = $1`, user.UserID).scan(&stored)
	if strings.Contains(stored, email) || strings.Contains(stored, "argon2") || !strings.Contains(stored, `"name":""`) {
		t.Errorf("stored: %s", stored)
	}
	s.want(s.call(anonymous, "POST", "/password-reset/confirm", `{"token":"`+secret+`","password":"a better horse"}`), 410, "link_invalid")
	s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"`+password+`"}`), 401, "invalid_credentials")
	s.want(s.call(user, "GET", "/me", ""), 404, "not_found")
	admin := identity.Identity{UserID: s.adminID(), Role: identity.Admin, Recent: true}
	if a := s.want(s.call(admin, "GET", "/users", ""), 200, ""); len(a.body["items"].([]any)) != 1 {
		t.Errorf("an admin finds %v", a.body["items"])
	}
	s.want(s.call(admin, "PUT", "/users/"+user.UserID.String()+"/role", `{"role":"admin"}`), 404, "not_found")
	s.want(s.call(admin, "DELETE", "/me", ""), 409, "last_admin")
	s.wantAudited(user.UserID, "registered login account_deleted")
	again := s.want(s.call(anonymous, "POST", "/register", `{"email":"`+email+`","password":"`+password+`","name":"U"}`), 202, "")
	if again.body["email"] != email {
		t.Errorf("got %v", again.body)
	}
	s.login(email)
}

func TestExportHasEverythingAboutTheUser(t *testing.T) {
	s := start(t)
	user, email := s.register()
	s.login(email)
	s.want(s.call(user, "GET", "/me/export", ""), 403, "reauthentication_required")
	a := s.want(s.call(recent(user), "GET", "/me/export", ""), 200, "")
	account := a.body["account"].(map[string]any)
	if account["email"] != email || len(a.body["sessions"].([]any)) != 1 || a.body["audit_entries"] == nil {
		t.Errorf("export %v", a.body)
	}
	if !slices.Contains(s.audited(user.UserID), "account_exported") {
		t.Error("the export was not recorded")
	}
}

func TestServicesReadAccounts(t *testing.T) {
	s := start(t)
	user, email := s.register()
	get := func(id identity.Identity, signer *identity.Signer, user uuid.UUID) answer {
		t.Helper()
		return s.send(signer.Sign(id), "GET", events.Accounts+user.String(), "")
	}
	service := identity.Identity{Role: identity.Service}
	if a := s.want(get(service, s.notifications, user.UserID), 200, ""); a.body["email"] != email || a.body["name"] != "U" || a.body["language"] != "en" {
		t.Errorf("got %v", a.body)
	}
	s.want(get(service, s.notifications, uuid.New()), 404, "not_found")
	s.want(get(user, s.signer, user.UserID), 403, "forbidden")
	s.want(get(user, s.notifications, user.UserID), 401, "identity_invalid")
	s.want(s.call(recent(user), "DELETE", "/me", ""), 204, "")
	s.want(get(service, s.notifications, user.UserID), 404, "not_found")
}
