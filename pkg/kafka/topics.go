package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// maxCreatePause is the longest wait between two attempts to create topics.
const maxCreatePause = 15 * time.Second

// CreateTopics returns a part of a process that creates missing topics. The
// process serves meanwhile: its producers and consumers wait for topics that do
// not exist yet. The part runs until its context ends and never fails.
func CreateTopics(cluster Cluster, each Topics, topics ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := EnsureTopics(ctx, cluster, each, topics...); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "kafka: topics not created", "error", err)
		}
		<-ctx.Done()
		return nil
	}
}

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
		if t == events.TopicAccountMail {
			// Its messages have links that let their reader in.
			specs[i].Config = map[string]string{"retention.ms": strconv.FormatInt((24 * time.Hour).Milliseconds(), 10)}
		}
	}
	for pause := time.Second; ; pause = min(2*pause, maxCreatePause) {
		err := createTopics(ctx, admin, specs)
		if err == nil {
			return nil
		}
		slog.WarnContext(ctx, "kafka: create topics failed, retrying", "error", err)
		if !clock.Sleep(ctx, pause) {
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
