// Package peer fetches records from the replicas of another service.
package peer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/rendezvous"
)

// maxBody limits what is read of a response, in bytes.
const maxBody = 1 << 20

// Client sends requests to the replicas of one service.
type Client struct {
	service   string
	instances func() []consul.Instance
	signer    *identity.Signer
	http      *http.Client
}

// NewClient returns a client of the replicas returned by instances. It
// authenticates with signer. A replica that has not answered after timeout is
// skipped.
func NewClient(
	service string, instances func() []consul.Instance, signer *identity.Signer, timeout time.Duration,
) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &Client{
		service: service, instances: instances, signer: signer,
		http: &http.Client{Timeout: timeout, Transport: transport},
	}
}

// Refusal is an answer that no other replica would give differently: 404 or 409.
type Refusal struct {
	Status int
	// Body is the problem.
	Body []byte
}

// Error returns the status and the problem.
func (r *Refusal) Error() string { return fmt.Sprintf("refused with %d: %s", r.Status, r.Body) }

// Get returns the record at path + id, requested on behalf of caller. It asks
// the replica first that owns id by rendezvous hashing, then the others, until
// one answers with a valid record. Errors: *Refusal; any other error means that
// no replica answered, which says nothing about the record.
func Get[T any](
	ctx context.Context, c *Client, caller identity.Identity, path string, id uuid.UUID, valid func(T) bool,
) (record T, err error) {
	token := c.signer.Sign(caller)
	instances, key := slices.Clone(c.instances()), rendezvous.Event(id)
	slices.SortFunc(instances, func(a, b consul.Instance) int {
		return cmp.Compare(rendezvous.Score(key, rendezvous.Hash(b.ID)), rendezvous.Score(key, rendezvous.Hash(a.ID)))
	})
	err = errors.New("no known replica")
	for _, i := range instances {
		var body []byte
		body, err = c.get(ctx, "http://"+i.Addr+path+id.String(), token)
		if err == nil {
			if record, err = decode(body, valid); err == nil {
				return record, nil
			}
		}
		var refusal *Refusal
		if errors.As(err, &refusal) || ctx.Err() != nil {
			break
		}
	}
	var none T
	return none, fmt.Errorf("%s: %w", c.service, err)
}

func decode[T any](body []byte, valid func(T) bool) (record T, err error) {
	if err := json.Unmarshal(body, &record); err != nil {
		return record, err
	}
	if !valid(record) {
		return record, fmt.Errorf("unexpected record: %.500s", body)
	}
	return record, nil
}

func (c *Client) get(ctx context.Context, url, token string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set(identity.Header, token)
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(req.Header))
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, err
	}
	var problem struct{ Code string }
	switch resp.StatusCode {
	case http.StatusOK:
		return body, nil
	case http.StatusConflict:
		return nil, &Refusal{resp.StatusCode, body}
	case http.StatusNotFound:
		// A replica of a version without the path answers 404 without a problem.
		if json.Unmarshal(body, &problem) == nil && problem.Code == "not_found" {
			return nil, &Refusal{resp.StatusCode, body}
		}
	}
	return nil, fmt.Errorf("answered %s", resp.Status)
}
