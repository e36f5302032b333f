package upstream

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	attempts = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "gateway_upstream_attempts_total",
		Help: "Attempts, by service and outcome: answered, not_sent, broken, timeout.",
	}, []string{"service", "outcome"})
	retries = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "gateway_upstream_retries_total", Help: "Attempts after the first, by service.",
	}, []string{"service"})
	breakerChanges = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "gateway_breaker_changes_total", Help: "Changes of a replica's circuit breaker, by the state it changed to.",
	}, []string{"instance", "to"})
)
