package httpapi

import (
	"context"
	"strconv"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/observe"
)

// ObserveRequest records a request that was answered without an API, as the
// gateway does. route is a template from a fixed list, or "other".
func ObserveRequest(ctx context.Context, route, method string, status int, took time.Duration) {
	observe.Observe(ctx, requestDuration.WithLabelValues(route, method, strconv.Itoa(status)), took.Seconds())
}
