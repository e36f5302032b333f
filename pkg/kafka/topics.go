package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// EnsureTopics creates missing topics, retrying until ctx ends while the
// brokers are down. It leaves existing topics unchanged. With zero partitions
// it does nothing.
func EnsureTopics(ctx context.Context, cluster Cluster, each Topics, topics ...string) error {
	if each.Partitions == 0 {
		return nil
	}
	// Its log is not read: failures are also returned as errors.
	admin, err := kafka.NewAdminClient(cluster.config(kafka.ConfigMap{"reconnect.backoff.max.ms": 1000}))
	if err != nil {
		return fmt.Errorf("kafka: new admin client: %w", err)
	}
	defer admin.Close()
	specs := make([]kafka.TopicSpecification, len(topics))
	for i, t := range topics {
		specs[i] = kafka.TopicSpecification{Topic: t, NumPartitions: each.Partitions, ReplicationFactor: each.Replication}
	}
	for {
		err := createTopics(ctx, admin, specs)
		if err == nil {
			return nil
		}
		slog.Warn("kafka: create topics failed, retrying", "error", err)
		if !clock.Sleep(ctx, time.Second) {
			return fmt.Errorf("kafka: create topics: %w", err)
		}
	}
}

func createTopics(ctx context.Context, admin *kafka.AdminClient, specs []kafka.TopicSpecification) error {
	results, err := admin.CreateTopics(ctx, specs,
		kafka.SetAdminRequestTimeout(10*time.Second), kafka.SetAdminOperationTimeout(10*time.Second))
	if err != nil {
		return err
	}
	var errs []error
	for _, r := range results {
		if c := r.Error.Code(); c != kafka.ErrNoError && c != kafka.ErrTopicAlreadyExists {
			errs = append(errs, r.Error)
		}
	}
	return errors.Join(errs...)
}
