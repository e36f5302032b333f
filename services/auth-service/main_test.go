package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/redisclient"
	"github.com/frontrow-tickets/frontrow/pkg/service/servicetest"
	"github.com/frontrow-tickets/frontrow/pkg/session"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

// program is the whole service with its own database.
type program struct {
	t      *testing.T
	url    string
	signer *identity.Signer
	// notifications signs notification-service's requests.
	notifications *identity.Signer
	// address is that of all clients: what others fail does not count for it.
	address string
	store   *session.Store
	db      string
}

const (
	adminPassword = "an admin's password"
	password      = "correct horse battery"
)

// start runs the service while Kafka is down: what it would send stays in the
// outbox. Each option changes the configuration.
func start(t *testing.T, options ...func(*config)) *program {
	t.Helper()
	t.Parallel()
	signer, key := testkit.Signer(t, name)
	notifications, notificationKey := testkit.Signer(t, name)
	s := &program{
		t: t, signer: signer, notifications: notifications, db: database(t),
		address: fmt.Sprintf("2001:db8:%x:%x::1", rand.IntN(1<<16), rand.IntN(1<<16)),
	}
	mc := migrateConfig{PostgresURL: s.db, AdminEmail: "Admin@" + testkit.Unique("x") + ".example", AdminPassword: adminPassword}
	for range 2 { // the second has nothing to do
		if err := migrate(t.Context(), mc); err != nil {
			t.Fatal(err)
		}
	}
	rdb, err := redisclient.New(testkit.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rdb.Close() })
	s.store = session.NewStore(rdb, time.Hour)
	cfg := config{
		Config: servicetest.Config(), IdentityKeys: key, NotificationKeys: notificationKey, Key: testkit.Seed(t),
		PostgresURL: s.db, RedisURL: testkit.Redis(t), Kafka: kafka.Cluster{Brokers: testkit.FreeAddr(t)},
		SessionIdle: time.Hour, SessionAbsolute: 2 * time.Hour, RequireVerified: true, consumerGroup: testkit.Unique("auth"),
	}
	for _, option := range options {
		option(&cfg)
	}
	i := servicetest.Start(t, &cfg.Config, func(ctx context.Context) error { return run(ctx, cfg) })
	s.url = "http://" + i.Public
	return s
}

func database(t *testing.T) string {
	t.Helper()
	base := testkit.Postgres(t)
	name := testkit.Unique("auth")
	exec := func(sql string) {
		conn, err := pgx.Connect(context.Background(), base)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE DATABASE " + name)
	t.Cleanup(func() { exec("DROP DATABASE " + name + " WITH (FORCE)") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) code() string { s, _ := a.body["code"].(string); return s }

// call sends a request as id; headers are name, value pairs.
func (s *program) call(id identity.Identity, method, path, body string, headers ...string) answer {
	s.t.Helper()
	return s.send(s.signer.Sign(id), method, "/api/v1/auth"+path, body, headers...)
}

// send sends a request with an identity token.
func (s *program) send(token, method, path, body string, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set(identity.Header, token)
	req.Header.Set("X-Forwarded-For", s.address)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header}
	if len(raw) > 0 {
		if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&a.body); err != nil {
			s.t.Fatalf("%s: %v", raw, err)
		}
	}
	return a
}

var anonymous = identity.Identity{Role: identity.Anonymous}

// rows is the result of a query.
type rows struct {
	s    *program
	sql  string
	args []any
}

// query reads the service's database.
func (s *program) query(sql string, args ...any) rows { return rows{s, sql, args} }

// scan reads the only row.
func (r rows) scan(into ...any) {
	r.s.t.Helper()
	r.each(func(row pgx.Rows) error { return row.Scan(into...) })
}

// each reads all rows.
func (r rows) each(fn func(pgx.Rows) error) {
	r.s.t.Helper()
	conn, err := pgx.Connect(context.Background(), r.s.db)
	if err != nil {
		r.s.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	got, err := conn.Query(context.Background(), r.sql, r.args...)
	if err != nil {
		r.s.t.Fatal(err)
	}
	defer got.Close()
	for got.Next() {
		if err := fn(got); err != nil {
			r.s.t.Fatal(err)
		}
	}
	if err := got.Err(); err != nil {
		r.s.t.Fatal(err)
	}
}

func (s *program) want(a answer, status int, code string) answer {
	s.t.Helper()
	if a.status != status || a.code() != code {
		s.t.Fatalf("got %d %v, want %d %q", a.status, a.body, status, code)
	}
	return a
}

// register returns a new user and the e-mail.
func (s *program) register() (identity.Identity, string) {
	s.t.Helper()
	email := testkit.Unique("u") + "@example.com"
	a := s.want(s.call(anonymous, "POST", "/register", `{"email":"`+email+`","password":"`+password+`","name":"U"}`), 202, "")
	if len(a.body) != 1 || a.body["email"] != email {
		s.t.Errorf("registration answered %v", a.body)
	}
	var id uuid.UUID
	s.query(`SELECT id FROM accounts WHERE email = $1`, email).scan(&id)
	return identity.Identity{UserID: id, Role: identity.Customer, Email: email}, email
}

func (s *program) login(email string) string {
	s.t.Helper()
	a := s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"`+password+`","session":"token"}`), 200, "")
	return a.body["session_id"].(string)
}

func (s *program) role(sessionID string) string {
	sess, err := s.store.Get(s.t.Context(), sessionID)
	if err != nil {
		return ""
	}
	return sess.Role
}

// sessionCookie returns the session cookie that an answer sets.
func (s *program) sessionCookie(a answer) *http.Cookie {
	s.t.Helper()
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if strings.HasSuffix(c.Name, "frontrow_session") {
			return c
		}
	}
	s.t.Fatalf("no session cookie in %v", a.header)
	return nil
}

func TestRegisterLoginMeLogout(t *testing.T) {
	s := start(t)
	user, email := s.register()
	id := s.login(" " + strings.ToUpper(email))
	if me := s.want(s.call(user, "GET", "/me", ""), 200, ""); me.body["email"] != email || me.body["role"] != "customer" || me.body["password_hash"] != nil {
		t.Errorf("me = %v", me.body)
	}
	other, all := s.login(email), s.login(email)
	s.want(s.call(user, "POST", "/logout", "", "Authorization", "Bearer "+id), 204, "")
	if s.role(id) != "" || s.role(other) == "" {
		t.Error("log-out must end this session and no other")
	}
	s.want(s.call(user, "POST", "/logout-all", ""), 204, "")
	if s.role(other) != "" || s.role(all) != "" {
		t.Error("a session outlived the log-out everywhere")
	}
	s.want(s.call(anonymous, "GET", "/me", ""), 401, "session_required")
}

func TestBrowserGetsTheSessionOnlyAsAnHTTPOnlyCookie(t *testing.T) {
	s := start(t)
	user, email := s.register()
	body := `{"email":"` + email + `","password":"` + password + `"}`
	for scheme, name := range map[string]string{"https": "__Host-frontrow_session", "http": "frontrow_session"} {
		proto := []string{"X-Forwarded-Proto", scheme}
		a := s.want(s.call(anonymous, "POST", "/login", body, proto...), 200, "")
		c := s.sessionCookie(a)
		if c.Name != name || !c.HttpOnly || c.Secure != (scheme == "https") || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("over %s: cookie %v", scheme, c)
		}
		if a.body["session_id"] != nil || s.role(c.Value) == "" {
			t.Errorf("over %s: answer %v, session of the cookie has role %q", scheme, a.body, s.role(c.Value))
		}
		proto = append(proto, "Cookie", name+"="+c.Value)
		again := s.sessionCookie(s.want(s.call(anonymous, "POST", "/login", body, proto...), 200, ""))
		if s.role(c.Value) != "" || s.role(again.Value) == "" {
			t.Errorf("over %s: a log-in must end the session whose cookie it carries and no other", scheme)
		}
		proto[3] = name + "=" + again.Value
		gone := s.sessionCookie(s.want(s.call(user, "POST", "/logout", "", proto...), 204, ""))
		if gone.Name != name || gone.MaxAge >= 0 || s.role(again.Value) != "" {
			t.Errorf("over %s: log-out sets %v, session has role %q", scheme, gone, s.role(again.Value))
		}
	}
	a := s.want(s.call(anonymous, "POST", "/login", strings.Replace(body, "}", `,"session":"token"}`, 1)), 200, "")
	if id, _ := a.body["session_id"].(string); s.role(id) == "" || len(a.header["Set-Cookie"]) > 0 {
		t.Errorf("an API client got %v and cookies %v", a.body, a.header["Set-Cookie"])
	}
}

func TestUserListsAndEndsOwnSessions(t *testing.T) {
	s := start(t)
	user, email := s.register()
	_, strange := s.register()
	foreign := s.login(strange)
	old := s.login(email)
	a := s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"`+password+`","session":"token"}`,
		"User-Agent", "Browser 1", "X-Forwarded-For", "192.0.2.7"), 200, "")
	current := a.body["session_id"].(string)
	list := func() map[string]map[string]any {
		t.Helper()
		a := s.want(s.call(user, "GET", "/me/sessions", "", "Authorization", "Bearer "+current), 200, "")
		byHash := map[string]map[string]any{}
		for _, item := range a.body["items"].([]any) {
			o := item.(map[string]any)
			byHash[o["id"].(string)] = o
		}
		return byHash
	}
	open := list()
	mine := open[session.Hash(current)]
	if len(open) != 2 || mine["current"] != true || mine["user_agent"] != "Browser 1" || mine["address"] != "192.0.2.7" ||
		mine["last_used_at"] == nil || open[session.Hash(old)]["current"] != false {
		t.Errorf("sessions %v", open)
	}
	for name, hash := range map[string]string{"foreign": session.Hash(foreign), "made up": "x"} {
		if a := s.call(user, "DELETE", "/me/sessions/"+hash, ""); a.status != 404 || a.code() != "not_found" {
			t.Errorf("ending a session that is %s: %d %v", name, a.status, a.body)
		}
	}
	s.want(s.call(user, "DELETE", "/me/sessions/"+session.Hash(old), ""), 204, "")
	if open := list(); len(open) != 1 || s.role(old) != "" || s.role(current) == "" || s.role(foreign) == "" {
		t.Errorf("after one has ended: %v", open)
	}
	s.want(s.call(user, "DELETE", "/me/sessions/"+session.Hash(old), ""), 404, "not_found")
	s.want(s.call(anonymous, "GET", "/me/sessions", ""), 401, "session_required")
}

func TestRefusals(t *testing.T) {
	s := start(t)
	user, email := s.register()
	reg := func(email, rest string) string {
		return `{"email":"` + email + `","password":"` + password + `","name":"U"` + rest + `}`
	}
	for name, c := range map[string]struct {
		as                 identity.Identity
		method, path, body string
		status             int
		code               string
	}{
		"short password":           {anonymous, "POST", "/register", `{"email":"x@example.com","password":"seven77","name":"U"}`, 422, "validation_failed"},
		"common password":          {anonymous, "POST", "/register", `{"email":"x@example.com","password":"Password1","name":"U"}`, 422, "validation_failed"},
		"language without mails":   {anonymous, "POST", "/register", reg("x@example.com", `,"language":"fr"`), 422, "validation_failed"},
		"wrong fields":             {anonymous, "POST", "/register", `{}`, 422, "validation_failed"},
		"role chosen by oneself":   {anonymous, "POST", "/register", reg("x@example.com", `,"role":"admin"`), 400, "unknown_field"},
		"malformed":                {anonymous, "POST", "/login", `{`, 400, "malformed_json"},
		"wrong password":           {anonymous, "POST", "/login", `{"email":"` + email + `","password":"12345679"}`, 401, "invalid_credentials"},
		"unknown e-mail":           {anonymous, "POST", "/login", `{"email":"nobody@example.com","password":"12345679"}`, 401, "invalid_credentials"},
		"customer sets a role":     {user, "PUT", "/users/" + user.UserID.String() + "/role", `{"role":"admin"}`, 403, "forbidden"},
		"nobody sets a role":       {anonymous, "PUT", "/users/" + user.UserID.String() + "/role", `{"role":"admin"}`, 401, "session_required"},
		"log-out without session":  {anonymous, "POST", "/logout", "", 401, "session_required"},
		"unknown address":          {anonymous, "GET", "/nothing", "", 404, "not_found"},
		"method that is not taken": {anonymous, "GET", "/login", "", 405, "method_not_allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			if a := s.call(c.as, c.method, c.path, c.body); a.status != c.status || a.code() != c.code {
				t.Errorf("got %d %v, want %d %s", a.status, a.body, c.status, c.code)
			}
		})
	}
	t.Run("without identity", func(t *testing.T) {
		resp, err := http.Get(s.url + "/api/v1/auth/me")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("got %d", resp.StatusCode)
		}
	})
}

func TestConcurrentRegistrationsMakeOneAccount(t *testing.T) {
	s := start(t)
	email := testkit.Unique("u") + "@example.com"
	body := `{"email":"` + email + `","password":"` + password + `","name":"U"}`
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if a := s.call(anonymous, "POST", "/register", body); a.status != 202 || len(a.body) != 1 || a.body["email"] != email {
				t.Errorf("got %d %v", a.status, a.body)
			}
		})
	}
	wg.Wait()
	var accounts int
	s.query(`SELECT count(*) FROM accounts WHERE email = $1`, email).scan(&accounts)
	if accounts != 1 {
		t.Errorf("%d accounts", accounts)
	}
}

func TestRoleChangeEndsSessionsAndTheLastAdminStays(t *testing.T) {
	s := start(t)
	user, email := s.register()
	id := s.login(email)
	admin := identity.Identity{UserID: s.adminID(), Role: identity.Admin, Recent: true}
	path := "/users/" + user.UserID.String() + "/role"

	a := s.want(s.call(admin, "PUT", path, `{"role":"organizer"}`), 200, "")
	if a.body["role"] != "organizer" || s.role(id) != "" || s.role(s.login(email)) != "organizer" {
		t.Errorf("answer %v, former session %q", a.body["role"], s.role(id))
	}
	notRecent := identity.Identity{UserID: admin.UserID, Role: identity.Admin}
	s.want(s.call(notRecent, "PUT", path, `{"role":"customer"}`), 403, "reauthentication_required")
	s.want(s.call(admin, "PUT", path, `{"role":"emperor"}`), 422, "validation_failed")
	s.want(s.call(admin, "PUT", "/users/"+uuid.NewString()+"/role", `{"role":"admin"}`), 404, "not_found")

	own := "/users/" + admin.UserID.String() + "/role"
	s.want(s.call(admin, "PUT", own, `{"role":"customer"}`), 409, "last_admin")
	s.want(s.call(admin, "PUT", path, `{"role":"admin"}`), 200, "")
	// Two admins demote each other at once: one of them stays.
	var wg sync.WaitGroup
	var demoted atomic.Int32
	for _, p := range []string{path, own} {
		wg.Go(func() {
			if s.call(admin, "PUT", p, `{"role":"customer"}`).status == 200 {
				demoted.Add(1)
			}
		})
	}
	wg.Wait()
	if demoted.Load() != 1 {
		t.Errorf("%d of two admins were demoted, want 1", demoted.Load())
	}
}

func (s *program) adminID() (id uuid.UUID) {
	s.t.Helper()
	s.query(`SELECT id FROM accounts WHERE role = 'admin'`).scan(&id)
	return id
}

func TestAdminSearchesAccountsPageByPage(t *testing.T) {
	s := start(t)
	admin := identity.Identity{UserID: s.adminID(), Role: identity.Admin}
	for _, p := range [][2]string{{"cy", "Cyd 100%"}, {"ann", "Ann B_tt"}, {"bob", "Bob Batt"}, {"dan", `Dan \\o/`}} {
		s.want(s.call(anonymous, "POST", "/register", `{"email":"`+p[0]+`@people.example","password":"`+password+`","name":"`+p[1]+`"}`), 202, "")
	}
	search := func(query string) (emails []string, next string) {
		t.Helper()
		a := s.want(s.call(admin, "GET", "/users?"+query, ""), 200, "")
		for _, item := range a.body["items"].([]any) {
			u := item.(map[string]any)
			if u["password_hash"] != nil || u["id"] == nil || u["role"] == nil || u["created_at"] == nil {
				t.Errorf("user %v", u)
			}
			emails = append(emails, strings.TrimSuffix(u["email"].(string), "@people.example"))
		}
		next, _ = a.body["next_cursor"].(string)
		return emails, next
	}
	for name, c := range map[string]struct {
		q    string
		want string
	}{
		"part of the e-mail, in any case":  {"PEOPLE.ex", "ann bob cy dan"},
		"part of the name":                 {"batt", "bob"},
		"an underscore is an underscore":   {"B_TT", "ann"},
		"a percent sign is a percent sign": {"100%", "cy"},
		"a backslash is a backslash":       {`\o`, "dan"},
		"two percent signs":                {"%%", ""},
		"nobody":                           {"zzz", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, next := search("q=" + url.QueryEscape(c.q))
			if strings.Join(got, " ") != c.want || next != "" {
				t.Errorf("found %v, cursor %q, want %s", got, next, c.want)
			}
		})
	}
	t.Run("all of them in pages", func(t *testing.T) {
		var got []string
		next := ""
		for pages := 1; ; pages++ {
			var page []string
			page, next = search("limit=2&cursor=" + next)
			got = append(got, page...)
			if next == "" || pages == 4 {
				break
			}
		}
		if all, _ := search(""); len(got) != 5 || strings.Join(got, " ") != strings.Join(all, " ") {
			t.Errorf("pages: %v, at once: %v", got, all)
		}
	})
	user, _ := s.register()
	organizer := identity.Identity{UserID: uuid.New(), Role: identity.Organizer}
	for name, c := range map[string]struct {
		as     identity.Identity
		query  string
		status int
		code   string
	}{
		"a customer":        {user, "", 403, "forbidden"},
		"an organizer":      {organizer, "", 403, "forbidden"},
		"nobody":            {anonymous, "", 401, "session_required"},
		"a long query":      {admin, "q=" + strings.Repeat("x", 201), 422, "validation_failed"},
		"no text":           {admin, "q=%ff", 422, "validation_failed"},
		"a NUL":             {admin, "q=a%00b", 422, "validation_failed"},
		"a cursor made up":  {admin, "cursor=%21", 422, "validation_failed"},
		"a cursor of bytes": {admin, "cursor=_w", 422, "validation_failed"},
		"a limit of none":   {admin, "limit=0", 422, "validation_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			if a := s.call(c.as, "GET", "/users?"+c.query, ""); a.status != c.status || a.code() != c.code {
				t.Errorf("got %d %v, want %d %s", a.status, a.body, c.status, c.code)
			}
		})
	}
}

func TestFailedLoginsAreLimitedByAccountWithRetryAfter(t *testing.T) {
	s := start(t)
	_, email := s.register()
	from := []string{"X-Forwarded-For", testkit.Unique("addr")}
	for range 10 {
		s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"wrong-guess"}`, from...), 401, "invalid_credentials")
	}
	a := s.want(s.call(anonymous, "POST", "/login", `{"email":"`+email+`","password":"`+password+`"}`, from...), 429, "too_many_attempts")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
