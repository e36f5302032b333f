// Package challenge makes it expensive to enter a queue with many accounts:
// people solve a challenge first. It is a proof of work, or a widget such as
// Cloudflare Turnstile whose result a provider verifies.
package challenge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

// Config chooses the challenge: the provider's if it has a secret, otherwise a
// proof of work.
type Config struct {
	// Bits is the difficulty of the proof of work: a solution takes 2^Bits hashes
	// on average. With 0 there is no challenge.
	Bits int `env:"QUEUE_POW_BITS" envDefault:"17"`
	// Secret and SiteKey are of a Turnstile widget, or of a compatible one. Script is the address of its script.
	Secret  string `env:"QUEUE_TURNSTILE_SECRET"`
	SiteKey string `env:"QUEUE_TURNSTILE_SITE_KEY"`
	Script  string `env:"QUEUE_TURNSTILE_SCRIPT"`
	// URL verifies the widget's response.
	URL string `env:"QUEUE_TURNSTILE_URL" envDefault:"https://challenges.cloudflare.com/turnstile/v0/siteverify"`
}

// Verifier makes and verifies challenges.
type Verifier interface {
	// Challenge returns what user must solve to enter the queue of event.
	Challenge(event, user uuid.UUID, now time.Time) rest.QueueChallenge
	// Solved reports whether the request has a solution of a challenge of event
	// and user. Error: problem.Unavailable, if this is not known.
	Solved(
		ctx context.Context, event, user uuid.UUID, req rest.PlaceRequest, remoteIP string, now time.Time,
	) (bool, error)
}

// New returns the verifier that cfg chooses. All replicas need the same key.
func New(cfg Config, key []byte) (Verifier, error) {
	if cfg.Bits < 0 || cfg.Bits > maxBits {
		return nil, fmt.Errorf("QUEUE_POW_BITS is %d: set it to 0 to %d", cfg.Bits, maxBits)
	}
	if cfg.Secret == "" && cfg.SiteKey == "" && cfg.Script == "" {
		return newProofOfWork(cfg.Bits, key)
	}
	if cfg.Secret == "" || cfg.SiteKey == "" || cfg.Script == "" {
		return nil, errors.New("set QUEUE_TURNSTILE_SECRET, QUEUE_TURNSTILE_SITE_KEY and QUEUE_TURNSTILE_SCRIPT, or none of them")
	}
	for name, value := range map[string]string{"QUEUE_TURNSTILE_URL": cfg.URL, "QUEUE_TURNSTILE_SCRIPT": cfg.Script} {
		if u, err := url.Parse(value); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, errors.New(name + " is not an absolute http or https URL")
		}
	}
	return &siteverify{
		url: cfg.URL, secret: cfg.Secret, challenge: rest.QueueChallenge{
			Kind: rest.QueueChallengeKindTurnstile, SiteKey: cfg.SiteKey, Script: cfg.Script,
		}, client: &http.Client{Timeout: siteverifyTimeout},
	}, nil
}
