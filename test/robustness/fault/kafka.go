package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// groups maps consumer groups to their topics.
var groups = map[string][]string{
	"auth-service":    {events.TopicAudit},
	"booking-service": {events.TopicPaymentProcessed, events.TopicEventChanged},
	"event-service":   {events.TopicEventAvailability},
	"notification-service": {
		events.TopicBookingConfirmed, events.TopicBookingCancelled, events.TopicPaymentProcessed,
		events.TopicEventChanged, events.TopicAccountMail,
	},
	"payment-service": {events.TopicBookingCreated, events.TopicBookingCancelled},
}

var topics = []string{
	events.TopicAccountMail, events.TopicAudit, events.TopicBookingCancelled, events.TopicBookingConfirmed,
	events.TopicBookingCreated, events.TopicEventAvailability, events.TopicEventChanged, events.TopicPaymentProcessed,
}

// requestTimeout is the timeout of our requests to the brokers.
const requestTimeout = 10 * time.Second

func (i *Injector) kafkaKinds() []kind {
	return []kind{
		{name: "kafka-leader-change", faults: func() ([]Fault, string) {
			if !slices.Contains(i.names, "kafka-1") {
				return nil, "there is only one broker"
			}
			return eachOf(topics...), ""
		}, start: i.changeLeader},
		{name: "consumer-rebalance", faults: func() ([]Fault, string) {
			return eachOf(slices.Sorted(maps.Keys(groups))...), ""
		}, start: i.joinGroup},
		{name: "redeliver", faults: func() ([]Fault, string) { return eachOf(topics...), "" }, start: i.redeliver, momentary: true},
	}
}

// changeLeader stops the leader of a topic's first partition as an operator
// would: it hands its partitions over. When it is back, it leads them again.
func (i *Injector) changeLeader(ctx context.Context, f Fault) (undo, error) {
	leader, err := i.leader(f.Target)
	if err != nil {
		return nil, err
	}
	start, err := i.stop(ctx, Fault{Target: fmt.Sprintf("kafka-%d", leader)})
	if start == nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return errors.Join(start(ctx), poll(ctx, "the preferred leaders lead the partitions", i.electPreferredLeaders))
	}, err
}

func (i *Injector) admin() (*kafka.AdminClient, error) {
	return kafka.NewAdminClient(&kafka.ConfigMap{"bootstrap.servers": i.system.Kafka, "go.logs.channel.enable": true})
}

func (i *Injector) leader(topic string) (int32, error) {
	admin, err := i.admin()
	if err != nil {
		return 0, err
	}
	defer admin.Close()
	found, err := admin.GetMetadata(&topic, false, int(requestTimeout.Milliseconds()))
	if err != nil {
		return 0, err
	}
	partitions := found.Topics[topic].Partitions
	if len(partitions) == 0 || partitions[0].Leader < 0 {
		return 0, fmt.Errorf("the first partition of %s has no leader", topic)
	}
	return partitions[0].Leader, nil
}

// electPreferredLeaders makes the first replica of every partition its leader.
func (i *Injector) electPreferredLeaders(ctx context.Context) (bool, error) {
	admin, err := i.admin()
	if err != nil {
		return false, err
	}
	defer admin.Close()
	result, err := admin.ElectLeaders(ctx, kafka.NewElectLeadersRequest(kafka.ElectionTypePreferred, nil),
		kafka.SetAdminRequestTimeout(requestTimeout), kafka.SetAdminOperationTimeout(requestTimeout))
	if err != nil {
		return false, err
	}
	for _, p := range result.TopicPartitions {
		var failed kafka.Error
		if errors.As(p.Error, &failed) && failed.Code() != kafka.ErrNoError && failed.Code() != kafka.ErrElectionNotNeeded {
			return false, fmt.Errorf("%s: %w", p, failed)
		}
	}
	return true, nil
}

// joinGroup adds a foreign member to a group: it is assigned partitions while
// their consumers are working, and does nothing with them.
func (i *Injector) joinGroup(ctx context.Context, f Fault) (undo, error) {
	extra, err := kafka.NewConsumer(&kafka.ConfigMap{
		"bootstrap.servers": i.system.Kafka, "group.id": f.Target, "client.id": "extra-member",
		"enable.auto.commit": false, "auto.offset.reset": "earliest", "partition.assignment.strategy": "cooperative-sticky",
		"session.timeout.ms": 10_000, "go.logs.channel.enable": true,
	})
	if err != nil {
		return nil, err
	}
	drop := make(chan struct{})
	go func() {
		for range extra.Logs() { // drain its log, so that it never blocks
		}
	}()
	if err := extra.SubscribeTopics(groups[f.Target], nil); err != nil {
		return nil, errors.Join(err, extra.Close())
	}
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		for {
			select {
			case <-drop:
				return
			default:
				extra.Poll(100)
			}
		}
	}()
	leave := func(context.Context) error {
		close(drop)
		<-polled
		return extra.Close()
	}
	joined, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return leave, poll(joined, "the extra member has partitions", func(context.Context) (bool, error) {
		mine, err := extra.Assignment()
		return len(mine) > 0, err
	})
}

const (
	// recent is how many messages of each partition are read.
	recent = 100
	// redelivered is how many of them are sent again.
	redelivered = 100
)

// redeliver sends copies of recent messages again, in a different order, with
// the same keys, headers and ids.
func (i *Injector) redeliver(ctx context.Context, f Fault) (undo, error) {
	messages, err := i.recentMessages(ctx, f.Target)
	if err != nil {
		return nil, err
	}
	rand.Shuffle(len(messages), func(a, b int) { messages[a], messages[b] = messages[b], messages[a] })
	messages = messages[:min(redelivered, len(messages))]
	producer, err := kafka.NewProducer(&kafka.ConfigMap{"bootstrap.servers": i.system.Kafka, "acks": "all", "go.logs.channel.enable": true})
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	reports := make(chan kafka.Event, len(messages))
	for _, m := range messages {
		copied := &kafka.Message{
			TopicPartition: kafka.TopicPartition{Topic: &f.Target, Partition: kafka.PartitionAny}, Key: m.Key, Value: m.Value, Headers: m.Headers,
		}
		if err := producer.Produce(copied, reports); err != nil {
			return nil, err
		}
	}
	for range messages {
		select {
		case report := <-reports:
			if m, ok := report.(*kafka.Message); ok && m.TopicPartition.Error != nil {
				return nil, m.TopicPartition.Error
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, nil //nolint:nilnil // nothing to undo
}

func (i *Injector) recentMessages(ctx context.Context, topic string) ([]*kafka.Message, error) {
	reader, err := kafka.NewConsumer(&kafka.ConfigMap{
		"bootstrap.servers": i.system.Kafka, "group.id": "frontrow-redeliver", "enable.auto.commit": false,
		"enable.partition.eof": true, "go.logs.channel.enable": true,
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	found, err := reader.GetMetadata(&topic, false, int(requestTimeout.Milliseconds()))
	if err != nil {
		return nil, err
	}
	var from kafka.TopicPartitions
	for _, p := range found.Topics[topic].Partitions {
		first, last, err := reader.QueryWatermarkOffsets(topic, p.ID, int(requestTimeout.Milliseconds()))
		if err != nil {
			return nil, err
		}
		if last > first {
			from = append(from, kafka.TopicPartition{Topic: &topic, Partition: p.ID, Offset: kafka.Offset(max(first, last-recent))})
		}
	}
	if len(from) == 0 {
		return nil, nil
	}
	if err := reader.Assign(from); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	var messages []*kafka.Message
	for ended := 0; ended < len(from); {
		switch event := reader.Poll(100).(type) {
		case *kafka.Message:
			if event.TopicPartition.Error == nil {
				messages = append(messages, event)
			}
		case kafka.PartitionEOF:
			ended++
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("reading %s: %w", topic, ctx.Err())
		}
	}
	return messages, nil
}
