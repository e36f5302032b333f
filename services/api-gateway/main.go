// Api-gateway is Frontrow's only public entry point: it checks requests and
// forwards them to the services.
package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/service"
	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/route"
)

const name = "api-gateway"

type config struct {
	service.Config
	IdentityKeys     identityKeys  `envPrefix:"IDENTITY_KEYS_"`
	RedisURL         string        `env:"REDIS_URL,required"`
	Routing          string        `env:"ROUTING" envDefault:"hash"`
	CORSOrigins      []string      `env:"CORS_ORIGINS"`
	TurnstileScript  url.URL       `env:"QUEUE_TURNSTILE_SCRIPT"`
	RateLimitSession float64       `env:"RATE_LIMIT_SESSION" envDefault:"50"`
	RateLimitAddress float64       `env:"RATE_LIMIT_ADDRESS" envDefault:"200"`
	SessionIdle      time.Duration `env:"SESSION_IDLE" envDefault:"2h"`
	SessionRecent    time.Duration `env:"SESSION_RECENT" envDefault:"15m"`
	// TrustedProxies are the networks of proxies in front of the gateway, such
	// as 10.0.0.0/8, whose X-Forwarded-For and X-Forwarded-Proto are trusted.
	TrustedProxies []netip.Prefix `env:"TRUSTED_PROXIES"`

	// servicePrefix separates the services of tests that share a Consul.
	servicePrefix string
}

// identityKeys are the keys shared with each service.
type identityKeys struct {
	Auth         string `env:"AUTH,required"`
	Event        string `env:"EVENT,required"`
	Booking      string `env:"BOOKING,required"`
	Payment      string `env:"PAYMENT,required"`
	Notification string `env:"NOTIFICATION,required"`
}

// signers returns the identity signers for each service.
func (k identityKeys) signers() (map[string]*identity.Signer, error) {
	signers := map[string]*identity.Signer{}
	for service, keys := range map[string]string{
		route.Auth: k.Auth, route.Event: k.Event, route.Booking: k.Booking, route.Payment: k.Payment,
		route.Notification: k.Notification,
	} {
		var err error
		if signers[service], err = identity.NewSigner(service, keys); err != nil {
			return nil, fmt.Errorf("keys for %s: %w", service, err)
		}
	}
	return signers, nil
}

func main() {
	service.Main(name, service.Configured(run), nil)
}
