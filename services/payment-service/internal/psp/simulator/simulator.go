// Package simulator is a payment provider to test against. It keeps books of
// its own and is reached by its HTTP API and its webhooks only.
package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/postgres"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/psp"
)

const (
	// slow is how long pm_slow takes.
	slow = 3 * time.Second
	// hang is how long pm_unknown keeps its caller waiting in vain.
	hang = 10 * time.Second
)

// Simulator is the provider: an http.Handler for /psp/v1/ and a loop that
// delivers webhooks. Any number may share a database.
type Simulator struct {
	pool     *pgxpool.Pool
	webhooks webhooks
	mux      *http.ServeMux
}

// New returns a provider that sends its webhooks to webhookURL, signed with secret.
func New(pool *pgxpool.Pool, webhookURL, secret string) *Simulator {
	s := &Simulator{pool: pool, webhooks: newWebhooks(pool, webhookURL, secret), mux: http.NewServeMux()}
	s.handle("POST /psp/v1/charges", s.charge)
	s.handle("GET /psp/v1/charges/by-key/{key}", s.lookup)
	s.handle("GET /psp/v1/charges", s.settled)
	s.handle("POST /psp/v1/refunds", s.refund)
	s.handle("GET /psp/v1/ledger", s.ledger)
	return s
}

// Run delivers webhooks until ctx ends.
func (s *Simulator) Run(ctx context.Context) error { return s.webhooks.run(ctx) }

// ServeHTTP answers the API's calls.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// refusal is an answer that is not 200.
type refusal struct {
	status int
	why    string
}

func (r *refusal) Error() string { return r.why }

func refuse(status int, why string) error { return &refusal{status, why} }

func (s *Simulator) handle(pattern string, h func(w http.ResponseWriter, r *http.Request) (any, error)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		out, err := h(w, r)
		var no *refusal
		switch {
		case errors.As(err, &no):
			http.Error(w, no.why, no.status)
		case err != nil:
			slog.WarnContext(r.Context(), "psp: call failed", "call", pattern, "error", err)
			http.Error(w, "try again", http.StatusServiceUnavailable)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(out)
		}
	})
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// plan is how a method ends.
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
	// A caller that leaves does not undo the charge.
	ctx := context.WithoutCancel(r.Context())
	charge := payment.Charge{
		ID: "ch_" + uuid.NewString(), Key: in.Key, Amount: in.Amount, Status: payment.ChargeCaptured,
		FailureCode: plan.failure, SettledAt: now().Add(plan.after),
	}
	if plan.failure != "" {
		charge.Status = payment.ChargeFailed
	}
	eventID := "evt_" + uuid.NewString()
	body, err := json.Marshal(psp.Event{ID: eventID, Charge: charge})
	if err != nil {
		return nil, err
	}
	var made int
	err = s.pool.QueryRow(ctx, `
		WITH made AS (
			INSERT INTO psp.charges (id, key, method, amount, currency, outcome, failure_code, settles_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (key) DO NOTHING RETURNING id
		), sent AS (
			INSERT INTO psp.webhooks (event_id, body, due_at) SELECT $9, $10, $8 FROM made, generate_series(1, $11)
		) SELECT count(*) FROM made`,
		charge.ID, in.Key, in.Method, in.Amount.Amount, in.Amount.Currency, charge.Status, plan.failure, charge.SettledAt,
		eventID, body, plan.webhooks).Scan(&made)
	if err != nil {
		return nil, err
	}
	if made == 0 {
		return s.sameCharge(ctx, in)
	}
	if plan.webhooks > 0 {
		s.webhooks.wakeAt(charge.SettledAt)
	}
	if plan.hang {
		select {
		case <-r.Context().Done():
		case <-time.After(hang):
		}
		return nil, refuse(http.StatusGatewayTimeout, "time-out")
	}
	return visible(charge), nil
}

// sameCharge answers a key that was used before.
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
func visible(c payment.Charge) payment.Charge {
	if c.SettledAt.After(now()) {
		c.Status, c.FailureCode, c.SettledAt = payment.ChargePending, "", time.Time{}
	}
	return c
}

func (s *Simulator) byKey(ctx context.Context, key string) (c payment.Charge, method string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT id, key, amount, currency, outcome, failure_code, settles_at, method FROM psp.charges WHERE key = $1`, key).
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
		SELECT id, key, amount, currency, outcome, failure_code, settles_at FROM psp.charges
		WHERE (settles_at, id) > ($1, $2) AND settles_at <= least($3::timestamptz, $4::timestamptz) ORDER BY settles_at, id LIMIT $5`,
		from, q.Get("from_id"), before, now(), limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c payment.Charge, err error) {
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
			SELECT currency, amount AS captured, 0 AS refunded FROM psp.charges WHERE outcome = 'captured' AND settles_at <= $1
			UNION ALL
			SELECT currency, 0, amount FROM psp.refunds WHERE created_at <= $1
		) AS entries GROUP BY currency`, before)
	if err != nil {
		return nil, err
	}
	return postgres.Balances(rows)
}

func (s *Simulator) refund(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in psp.RefundRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Key == "" || in.Amount.Amount < 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "key, charge and amount are needed")
	}
	ctx := context.WithoutCancel(r.Context())
	out := psp.Refund{ID: "re_" + uuid.NewString(), CreatedAt: now()}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE psp.charges SET refunded = refunded + $2
			WHERE id = $1 AND currency = $3 AND outcome = 'captured' AND settles_at <= $4 AND refunded + $2 <= amount
			AND NOT EXISTS (SELECT FROM psp.refunds WHERE key = $5)`,
			in.ChargeID, in.Amount.Amount, in.Amount.Currency, out.CreatedAt, in.Key)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return s.sameRefund(ctx, tx, in, &out)
		}
		_, err = tx.Exec(ctx, `INSERT INTO psp.refunds (id, key, charge_id, amount, currency, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			out.ID, in.Key, in.ChargeID, in.Amount.Amount, in.Amount.Currency, out.CreatedAt)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("refund: %w", err)
	}
	return out, nil
}

// sameRefund answers a key that was used before.
func (s *Simulator) sameRefund(ctx context.Context, tx pgx.Tx, in psp.RefundRequest, out *psp.Refund) error {
	var chargeID string
	var amount int64
	err := tx.QueryRow(ctx, `SELECT id, created_at, charge_id, amount FROM psp.refunds WHERE key = $1`, in.Key).
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
