// Package simulator is a payment provider for tests. It keeps its own books and
// is reached only by its HTTP API and its webhooks.
package simulator

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/api/psp"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
)

const (
	// slow is how long pm_slow takes to settle.
	slow = 3 * time.Second
	// hang is how long pm_unknown leaves its caller without a response.
	hang = 10 * time.Second
)

// Config configures the provider.
type Config struct {
	// APIKey authenticates callers: Authorization: Bearer <key>.
	APIKey string
	// WebhookURL is where webhooks go, signed with WebhookSecret.
	WebhookURL, WebhookSecret string
}

// Simulator is the provider: an http.Handler for /psp/v1/ and a loop that
// delivers webhooks. Any number of instances may share a database.
type Simulator struct {
	pool     *pgxpool.Pool
	apiKey   string
	webhooks webhooks
	mux      *http.ServeMux
}

// New returns a provider that keeps its books in pool.
func New(pool *pgxpool.Pool, cfg Config) *Simulator {
	s := &Simulator{
		pool: pool, apiKey: cfg.APIKey, webhooks: newWebhooks(pool, cfg.WebhookURL, cfg.WebhookSecret), mux: http.NewServeMux(),
	}
	s.handle("POST", "/psp/v1/charges", s.charge)
	s.handle("GET", "/psp/v1/charges/by-key/{key}", s.lookup)
	s.handle("GET", "/psp/v1/charges", s.settled)
	s.handle("POST", "/psp/v1/refunds", s.refund)
	s.handle("GET", "/psp/v1/ledger", s.ledger)
	return s
}

// Run delivers webhooks until ctx ends.
func (s *Simulator) Run(ctx context.Context) error { return s.webhooks.run(ctx) }

// ServeHTTP handles the API's calls.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// refusal is a response other than 200.
type refusal struct {
	status int
	why    string
}

func (r *refusal) Error() string { return r.why }

func refuse(status int, why string) error { return &refusal{status, why} }

func (s *Simulator) handle(method, path string, h func(w http.ResponseWriter, r *http.Request) (any, error)) {
	s.mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &httpapi.Recorder{ResponseWriter: w}
		s.answer(rec, r, h)
		httpapi.ObserveRequest(r.Context(), path, method, rec.Status, time.Since(start))
	})
}

func (s *Simulator) answer(w http.ResponseWriter, r *http.Request, h func(w http.ResponseWriter, r *http.Request) (any, error)) {
	if !s.authentic(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "unknown API key", http.StatusUnauthorized)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	out, err := h(w, r)
	var no *refusal
	switch {
	case errors.As(err, &no):
		http.Error(w, no.why, no.status)
	case err != nil:
		slog.WarnContext(r.Context(), "call failed", "method", r.Method, "path", r.URL.Path, "error", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
	default:
		if err := httpapi.WriteJSON(w, http.StatusOK, out); err != nil {
			slog.WarnContext(r.Context(), "write response failed", "error", err)
		}
	}
}

// authentic reports whether the request has the API key.
func (s *Simulator) authentic(r *http.Request) bool {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	// The hashes have equal lengths, so the time does not reveal the key's
	// length either.
	given, want := sha256.Sum256([]byte(key)), sha256.Sum256([]byte(s.apiKey))
	return ok && subtle.ConstantTimeCompare(given[:], want[:]) == 1
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// plan is the outcome of a payment method.
type plan struct {
	failure  string
	after    time.Duration
	webhooks int
	hang     bool
}

func planOf(method string) (plan, bool) {
	p := plan{after: 20*time.Millisecond + rand.N(30*time.Millisecond), webhooks: 1}
	switch method {
	case "pm_ok":
	case "pm_declined":
		p.failure = "card_declined"
	case "pm_insufficient_funds":
		p.failure = "insufficient_funds"
	case "pm_slow":
		p.after = slow
	case "pm_unknown":
		p.after, p.webhooks, p.hang = 0, 0, true
	case "pm_duplicate_webhook":
		p.webhooks = 3
	default:
		return p, false
	}
	return p, true
}

func (s *Simulator) charge(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in psp.ChargeRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Key == "" || in.Amount.Amount < 0 || len(in.Amount.Currency) != 3 {
		return nil, refuse(http.StatusUnprocessableEntity, "key and amount are needed")
	}
	plan, ok := planOf(in.Method)
	if !ok {
		return nil, refuse(http.StatusUnprocessableEntity, "no such method")
	}
	// A caller that disconnects does not undo the charge.
	ctx := context.WithoutCancel(r.Context())
	charge := psp.Charge{
		ID: "ch_" + uuid.NewString(), Key: in.Key, Amount: in.Amount, Status: psp.ChargeCaptured,
		FailureCode: plan.failure, SettledAt: now().Add(plan.after),
	}
	if plan.failure != "" {
		charge.Status = psp.ChargeFailed
	}
	eventID := "evt_" + uuid.NewString()
	body, err := json.Marshal(psp.Event{ID: eventID, Charge: charge})
	if err != nil {
		return nil, err
	}
	var made int
	var webhooks []int64
	err = s.pool.QueryRow(ctx, `
		WITH made AS (
			INSERT INTO charges (id, key, method, amount, currency, outcome, failure_code, settles_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (key) DO NOTHING RETURNING id
		), sent AS (
			INSERT INTO webhooks (event_id, body, due_at, tries)
			SELECT $9, $10, $8::timestamptz + $12::interval, 1 FROM made, generate_series(1, $11) RETURNING id
		) SELECT (SELECT count(*) FROM made), ARRAY(SELECT id FROM sent)`,
		charge.ID, in.Key, in.Method, in.Amount.Amount, in.Amount.Currency, charge.Status, plan.failure, charge.SettledAt,
		eventID, body, plan.webhooks, lease).Scan(&made, &webhooks)
	if err != nil {
		return nil, err
	}
	if made == 0 {
		return s.sameCharge(ctx, in)
	}
	for _, id := range webhooks {
		s.webhooks.firstTry(charge.SettledAt, webhook{ID: id, Body: body})
	}
	if plan.hang {
		clock.Sleep(r.Context(), hang)
		return nil, refuse(http.StatusGatewayTimeout, "time-out")
	}
	return visible(charge), nil
}

// sameCharge answers a request whose key was used before.
func (s *Simulator) sameCharge(ctx context.Context, in psp.ChargeRequest) (any, error) {
	charge, method, err := s.byKey(ctx, in.Key)
	if err != nil {
		return nil, err
	}
	if charge.Amount != in.Amount || method != in.Method {
		return nil, refuse(http.StatusConflict, "the key was used with another charge")
	}
	return visible(charge), nil
}

// visible hides the outcome of a charge until it settles.
func visible(c psp.Charge) psp.Charge {
	if c.SettledAt.After(now()) {
		c.Status, c.FailureCode, c.SettledAt = psp.ChargePending, "", time.Time{}
	}
	return c
}

func (s *Simulator) byKey(ctx context.Context, key string) (c psp.Charge, method string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT id, key, amount, currency, outcome, failure_code, settles_at, method FROM charges WHERE key = $1`, key).
		Scan(&c.ID, &c.Key, &c.Amount.Amount, &c.Amount.Currency, &c.Status, &c.FailureCode, &c.SettledAt, &method)
	c.SettledAt = c.SettledAt.UTC()
	return c, method, err
}

func (s *Simulator) lookup(_ http.ResponseWriter, r *http.Request) (any, error) {
	c, _, err := s.byKey(r.Context(), r.PathValue("key"))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, refuse(http.StatusNotFound, "no such charge")
	}
	return visible(c), err
}

func (s *Simulator) settled(_ http.ResponseWriter, r *http.Request) (any, error) {
	q := r.URL.Query()
	from, err1 := time.Parse(time.RFC3339Nano, q.Get("from"))
	before, err2 := time.Parse(time.RFC3339Nano, q.Get("before"))
	limit, err3 := strconv.Atoi(q.Get("limit"))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, err.Error())
	}
	rows, err := s.pool.Query(r.Context(), `
		SELECT id, key, amount, currency, outcome, failure_code, settles_at FROM charges
		WHERE (settles_at, id) > ($1, $2) AND settles_at <= least($3::timestamptz, $4::timestamptz) ORDER BY settles_at, id LIMIT $5`,
		from, q.Get("from_id"), before, now(), limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c psp.Charge, err error) {
		err = row.Scan(&c.ID, &c.Key, &c.Amount.Amount, &c.Amount.Currency, &c.Status, &c.FailureCode, &c.SettledAt)
		c.SettledAt = c.SettledAt.UTC()
		return c, err
	})
}

func (s *Simulator) ledger(_ http.ResponseWriter, r *http.Request) (any, error) {
	before, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("before"))
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, err.Error())
	}
	rows, err := s.pool.Query(r.Context(), `
		SELECT currency, sum(captured)::bigint, sum(refunded)::bigint FROM (
			SELECT currency, amount AS captured, 0 AS refunded FROM charges WHERE outcome = 'captured' AND settles_at <= $1
			UNION ALL
			SELECT currency, 0, amount FROM refunds WHERE created_at <= $1
		) AS entries GROUP BY currency`, before)
	if err != nil {
		return nil, err
	}
	balances := map[string]psp.Balance{}
	var currency string
	var b psp.Balance
	_, err = pgx.ForEachRow(rows, []any{&currency, &b.Captured, &b.Refunded}, func() error {
		b.Net = b.Captured - b.Refunded
		balances[currency] = b
		return nil
	})
	return balances, err
}

func (s *Simulator) refund(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in psp.RefundRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Key == "" || in.Amount.Amount < 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "key, charge and amount are needed")
	}
	ctx := context.WithoutCancel(r.Context())
	out := psp.Refund{ID: "re_" + uuid.NewString(), CreatedAt: now()}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE charges SET refunded = refunded + $2
			WHERE id = $1 AND currency = $3 AND outcome = 'captured' AND settles_at <= $4 AND refunded + $2 <= amount
			AND NOT EXISTS (SELECT FROM refunds WHERE key = $5)`,
			in.ChargeID, in.Amount.Amount, in.Amount.Currency, out.CreatedAt, in.Key)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return s.sameRefund(ctx, tx, in, &out)
		}
		_, err = tx.Exec(ctx, `INSERT INTO refunds (id, key, charge_id, amount, currency, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			out.ID, in.Key, in.ChargeID, in.Amount.Amount, in.Amount.Currency, out.CreatedAt)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("refund: %w", err)
	}
	return out, nil
}

// sameRefund answers a request whose key was used before.
func (s *Simulator) sameRefund(ctx context.Context, tx pgx.Tx, in psp.RefundRequest, out *psp.Refund) error {
	var chargeID string
	var amount int64
	err := tx.QueryRow(ctx, `SELECT id, created_at, charge_id, amount FROM refunds WHERE key = $1`, in.Key).
		Scan(&out.ID, &out.CreatedAt, &chargeID, &amount)
	out.CreatedAt = out.CreatedAt.UTC()
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return refuse(http.StatusConflict, "the charge is not captured, or less of it is left")
	case err != nil:
		return err
	case chargeID != in.ChargeID || amount != in.Amount.Amount:
		return refuse(http.StatusConflict, "the key was used with another refund")
	}
	return nil
}
