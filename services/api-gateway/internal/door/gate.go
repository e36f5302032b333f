package door

import (
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// maxUnderWay bounds the requests a gateway works on at once. More would not be
// answered sooner, only later: beyond what the services can do, a longer queue
// is nothing but a longer wait (Little's law).
const maxUnderWay = 1000

const overloaded = "overloaded"

var turnedAway = promauto.NewCounter(prometheus.CounterOpts{
	Name: "gateway_overload_refused_total", Help: "Requests refused because too many were under way.",
})

// gate lets in a bounded number of requests at once.
type gate struct{ underWay atomic.Int64 }

// full tells whether nobody may enter now.
func (g *gate) full() bool { return g.underWay.Load() >= maxUnderWay }

// enter returns what to call when the request is done; or an error, 503 with
// Retry-After, before any work was done for it.
func (g *gate) enter() (leave func(), err error) {
	if g.underWay.Add(1) > maxUnderWay {
		g.underWay.Add(-1)
		return nil, tooMuch()
	}
	return func() { g.underWay.Add(-1) }, nil
}

// tooMuch spreads those who are refused together over some seconds.
func tooMuch() error {
	turnedAway.Inc()
	return problem.New(http.StatusServiceUnavailable, overloaded,
		"More is being asked than can be done. Try again in a moment.").After(time.Duration(1+rand.IntN(3)) * time.Second)
}
