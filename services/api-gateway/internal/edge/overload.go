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

// maxUnderWay limits the requests a gateway processes at once. Accepting more
// would not answer them sooner: beyond the services' capacity, a longer queue
// only means a longer wait (Little's law).
const maxUnderWay = 1000

const overloaded = "overloaded"

var turnedAway = promauto.NewCounter(prometheus.CounterOpts{
	Name: "gateway_overload_refused_total", Help: "Requests refused because too many were in flight.",
})

// gate limits the number of concurrent requests.
type gate struct{ underWay atomic.Int64 }

// full reports whether the gate refuses requests now.
func (g *gate) full() bool { return g.underWay.Load() >= maxUnderWay }

// enter returns a function to call when the request is done, or an error, 503
// with Retry-After, before any work was done for the request.
func (g *gate) enter() (leave func(), err error) {
	if g.underWay.Add(1) > maxUnderWay {
		g.underWay.Add(-1)
		return nil, tooMuch()
	}
	return func() { g.underWay.Add(-1) }, nil
}

// tooMuch returns an overload error with a random Retry-After, so that clients
// refused together do not return together.
func tooMuch() error {
	turnedAway.Inc()
	return problem.New(http.StatusServiceUnavailable, overloaded,
		"More is being asked than can be done. Try again in a moment.").After(time.Duration(1+rand.IntN(3)) * time.Second)
}
