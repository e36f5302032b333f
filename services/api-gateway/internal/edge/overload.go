package edge

import (
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// maxInFlight limits the requests that a gateway processes at once. Accepting more would not finish them
// sooner: beyond the services' capacity, a longer queue only means a longer wait (Little's law).
const maxInFlight = 1000

var overloadRefused = promauto.NewCounter(prometheus.CounterOpts{
	Name: "gateway_overload_refused_total", Help: "Requests refused because too many were in flight.",
})

// concurrencyLimit limits the requests in flight to maxInFlight.
type concurrencyLimit struct{ inFlight atomic.Int64 }

// reached reports whether acquire would fail now.
func (l *concurrencyLimit) reached() bool { return l.inFlight.Load() >= maxInFlight }

// acquire counts a request until release is called. Error: the problem overloaded, of a request that must
// not be released.
func (l *concurrencyLimit) acquire() error {
	if l.inFlight.Add(1) > maxInFlight {
		l.inFlight.Add(-1)
		return overloaded()
	}
	return nil
}

func (l *concurrencyLimit) release() { l.inFlight.Add(-1) }

// overloaded counts a refused request and returns the problem. Its Retry-After is random, so that clients
// that were refused together do not return together.
func overloaded() error {
	overloadRefused.Inc()
	return problem.New(http.StatusServiceUnavailable, problem.CodeOverloaded, "Frontrow is very busy. Try again in a moment.").
		After(time.Duration(1+rand.IntN(3)) * time.Second)
}
