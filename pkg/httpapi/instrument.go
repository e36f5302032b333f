package httpapi

import (
	"context"
	"strconv"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/observe"
)

// ObserveRequest records a request that was served without an API, as in the
// gateway. route is a template from a fixed list, or "other".
func ObserveRequest(ctx context.Context, route, method string, status int, took time.Duration) {
	observe.Observe(ctx, requestDuration.WithLabelValues(route, method, strconv.Itoa(status)), took.Seconds())
}
