package kafka

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	produced = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "producer_messages_total",
		Help: "Messages by outcome: acked or failed (refused, or not acknowledged in time).",
	}, []string{"topic", "outcome"})
	consumed = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "consumer_messages_total",
		Help: "Messages by outcome: handled, retried (counted at each attempt that failed) or dlq.",
	}, []string{"group", "topic", "outcome"})
	lag = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "consumer_lag",
		Help: "Messages in a partition whose effect is not yet stored.",
	}, []string{"group", "topic", "partition"})
	batchSize = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "consumer_batch_size", Help: "Messages handled together.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 10),
	}, []string{"group", "topic"})
)
