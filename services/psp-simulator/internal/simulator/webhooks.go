package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/frontrow-tickets/frontrow/api/psp"
)

const (
	deliverTimeout = 3 * time.Second
	// pollEvery is the poll interval for undelivered webhooks, including those
	// of an instance that died.
	pollEvery  = 500 * time.Millisecond
	deliveries = 64
	// maxFresh bounds the webhooks that wait for their first delivery.
	maxFresh = 4096
	// lease is how long a webhook is reserved for its first delivery. It is
	// retried then, with a doubling backoff; after maxTries the provider gives up.
	lease    = deliverTimeout + 500*time.Millisecond
	maxTries = 10
)

// webhooks delivers due webhooks.
type webhooks struct {
	pool        *pgxpool.Pool
	url, secret string
	client      *http.Client
	// fresh receives webhooks for their first delivery, at the time for it.
	fresh chan webhook
}

func newWebhooks(pool *pgxpool.Pool, url, secret string) webhooks {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = deliveries
	return webhooks{
		pool: pool, url: url, secret: secret, fresh: make(chan webhook, maxFresh),
		client: &http.Client{Transport: transport, Timeout: deliverTimeout},
	}
}

// firstTry delivers a stored webhook at a time. If the queue is full, the
// webhook is picked when it is due again.
func (h *webhooks) firstTry(at time.Time, w webhook) {
	time.AfterFunc(time.Until(at), func() {
		select {
		case h.fresh <- w:
		default:
		}
	})
}

type webhook struct {
	ID   int64
	Body []byte
}

func (h *webhooks) run(ctx context.Context) error {
	delivered := make(chan int64, deliveries)
	var settling, delivering sync.WaitGroup
	settling.Go(func() { h.settle(delivered) })
	defer settling.Wait()
	defer close(delivered)
	defer delivering.Wait()
	slots := make(chan struct{}, deliveries)
	start := func(w webhook) {
		slots <- struct{}{}
		delivering.Go(func() {
			defer func() { <-slots }()
			if err := h.deliver(w); err != nil {
				slog.DebugContext(ctx, "deliver webhook failed, retrying", "error", err)
				return
			}
			delivered <- w.ID
		})
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-h.fresh:
			start(w)
		case <-ticker.C:
			due, err := h.pick(ctx)
			if err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "read webhooks failed", "error", err)
			}
			for _, w := range due {
				start(w)
			}
		}
	}
}

// pick leases due webhooks: each is due again later unless it was delivered.
func (h *webhooks) pick(ctx context.Context) ([]webhook, error) {
	rows, err := h.pool.Query(ctx, `
		WITH due AS MATERIALIZED (
			SELECT id FROM webhooks WHERE due_at <= $1 AND tries < $4 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
		UPDATE webhooks w SET tries = w.tries + 1, due_at = $1 + $3::interval * power(2, w.tries) FROM due
		WHERE w.id = due.id RETURNING w.id, w.body`, now(), deliveries, lease, maxTries)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[webhook])
}

func (h *webhooks) deliver(w webhook) error {
	// Not the loop's context: a running delivery is finished.
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, h.url, bytes.NewReader(w.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(psp.SignatureHeader, psp.Sign(h.secret, w.Body, time.Now()))
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

// settle deletes delivered webhooks, all that have accumulated at once.
func (h *webhooks) settle(delivered <-chan int64) {
	for id := range delivered {
		ids := []int64{id}
		for more := true; more; {
			select {
			case id, ok := <-delivered:
				if more = ok; ok {
					ids = append(ids, id)
				}
			default:
				more = false
			}
		}
		// If not deleted, they are delivered again: receivers drop duplicates
		// by event ID.
		if _, err := h.pool.Exec(context.Background(), `DELETE FROM webhooks WHERE id = ANY($1)`, ids); err != nil {
			slog.Warn("delete delivered webhooks failed", "error", err)
		}
	}
}
