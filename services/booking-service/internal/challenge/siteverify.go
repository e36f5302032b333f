package challenge

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

const (
	siteverifyTimeout = 5 * time.Second
	maxAnswer         = 64 << 10
)

// faults are the error codes of Turnstile and hCaptcha that blame the provider
// or our configuration. The other ones blame the response of the widget.
var faults = []string{
	"missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch", "bad-request", "internal-error",
}

// siteverify asks a provider whether the response of its widget is valid:
// Cloudflare Turnstile, hCaptcha, or a compatible one.
type siteverify struct {
	url, secret string
	challenge   rest.QueueChallenge
	client      *http.Client
}

// Challenge implements Verifier.
func (s *siteverify) Challenge(uuid.UUID, uuid.UUID, time.Time) rest.QueueChallenge {
	return s.challenge
}

// Solved implements Verifier.
func (s *siteverify) Solved(
	ctx context.Context, _, _ uuid.UUID, req rest.PlaceRequest, remoteIP string, _ time.Time,
) (bool, error) {
	if req.Solution == "" {
		return false, nil
	}
	form := url.Values{"secret": {s.secret}, "response": {req.Solution}}
	if remoteIP != "" {
		form.Set("remoteip", remoteIP)
	}
	solved, err := s.verify(ctx, form)
	if err != nil {
		return false, problem.Unavailable(fmt.Errorf("verify challenge: %w", err))
	}
	return solved, nil
}

func (s *siteverify) verify(ctx context.Context, form url.Values) (bool, error) {
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader(form.Encode()))
	if err != nil {
		return false, err
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.client.Do(post)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var answer struct {
		Success *bool    `json:"success"`
		Codes   []string `json:"error-codes"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer); err != nil {
		return false, fmt.Errorf("read answer with status %d: %w", resp.StatusCode, err)
	}
	switch {
	case answer.Success == nil:
		return false, fmt.Errorf("answer with status %d has no success", resp.StatusCode)
	case *answer.Success:
		return true, nil
	case slices.ContainsFunc(answer.Codes, func(code string) bool { return slices.Contains(faults, code) }):
		return false, fmt.Errorf("answer has error codes %q", answer.Codes)
	}
	return false, nil
}
