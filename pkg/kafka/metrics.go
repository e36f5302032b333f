package kafka

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	produced = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "producer_messages_total",
		Help: "Messages sent, by outcome: acked or failed (rejected, or not acknowledged in time).",
	}, []string{"topic", "outcome"})
	consumed = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "consumer_messages_total",
		Help: "Messages consumed, by outcome: handled, retried (counted at each failed attempt) or dlq.",
	}, []string{"group", "topic", "outcome"})
	lag = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "consumer_lag",
		Help: "Messages in a partition whose effects are not yet stored.",
	}, []string{"group", "topic", "partition"})
	batchSize = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "consumer_batch_size", Help: "Messages per handled batch.",
		Buckets: prometheus.ExponentialBuckets(1, 2, 10),
	}, []string{"group", "topic"})
)
