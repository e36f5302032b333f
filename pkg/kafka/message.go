package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
)

// Message is one CloudEvent.
type Message struct {
	Topic string
	// Key orders messages: those with the same key arrive in the order sent. It
	// is also the CloudEvent's subject.
	Key string
	// ID is the CloudEvent's id, by which consumers drop duplicates. A producer
	// sets an empty ID to a new UUIDv7.
	ID string
	// Type is the CloudEvent's type, such as frontrow.booking.created.v1.
	Type string
	// Source is the CloudEvent's source, such as /booking-service.
	Source string
	// Time is when the event happened. A producer sets a zero time to now.
	Time time.Time
	// Data is the JSON payload.
	Data []byte
	// Header is the trace context (traceparent, tracestate). Set it with
	// TraceHeader when a message is stored before it is sent. A producer fills
	// an empty one from its own span.
	Header map[string]string
}

// TraceHeader returns the trace context of ctx for Message.Header, or nil
// without a trace.
func TraceHeader(ctx context.Context) map[string]string {
	c := propagation.MapCarrier{}
	otel.GetTextMapPropagator().Inject(ctx, c)
	if len(c) == 0 {
		return nil
	}
	return c
}

// Context returns ctx with the sender's span as the remote parent.
func (m *Message) Context(ctx context.Context) context.Context {
	if len(m.Header) == 0 {
		return ctx
	}
	return otel.GetTextMapPropagator().Extract(ctx, propagation.MapCarrier(m.Header))
}

const contentType = "application/json"

func (m *Message) complete() {
	if m.ID == "" {
		m.ID = uuid.Must(uuid.NewV7()).String()
	}
	if m.Time.IsZero() {
		m.Time = time.Now()
	}
}

// encode returns the Kafka record of a complete message.
func (m *Message) encode() *kafka.Message {
	h := make([]kafka.Header, 0, 7+len(m.Header))
	h = append(h,
		kafka.Header{Key: "ce_specversion", Value: []byte("1.0")},
		kafka.Header{Key: "ce_id", Value: []byte(m.ID)},
		kafka.Header{Key: "ce_type", Value: []byte(m.Type)},
		kafka.Header{Key: "ce_source", Value: []byte(m.Source)},
		kafka.Header{Key: "ce_subject", Value: []byte(m.Key)},
		kafka.Header{Key: "ce_time", Value: m.Time.UTC().AppendFormat(nil, time.RFC3339Nano)},
		kafka.Header{Key: "content-type", Value: []byte(contentType)},
	)
	for k, v := range m.Header {
		h = append(h, kafka.Header{Key: k, Value: []byte(v)})
	}
	return &kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &m.Topic, Partition: kafka.PartitionAny},
		Key:            []byte(m.Key), Value: m.Data, Headers: h,
	}
}

// decode returns the CloudEvent in a record, or an error if it holds none.
func decode(r *kafka.Message) (Message, error) {
	m := Message{Topic: *r.TopicPartition.Topic, Key: string(r.Key), Data: r.Value}
	version, ct := "", ""
	for _, h := range r.Headers {
		v := string(h.Value)
		switch h.Key {
		case "ce_specversion":
			version = v
		case "ce_id":
			m.ID = v
		case "ce_type":
			m.Type = v
		case "ce_source":
			m.Source = v
		case "ce_time":
			t, err := time.Parse(time.RFC3339Nano, v)
			if err != nil {
				return m, fmt.Errorf("ce_time: %w", err)
			}
			m.Time = t.UTC()
		case "content-type":
			ct = v
		case "traceparent", "tracestate", "baggage":
			if m.Header == nil {
				m.Header = map[string]string{}
			}
			m.Header[h.Key] = v
		}
	}
	switch {
	case version != "1.0":
		return m, fmt.Errorf("not a CloudEvent 1.0: ce_specversion is %q", version)
	case m.ID == "":
		return m, errors.New("ce_id is missing")
	case m.Type == "":
		return m, errors.New("ce_type is missing")
	case !strings.HasPrefix(ct, contentType):
		return m, fmt.Errorf("content-type is %q", ct)
	}
	return m, nil
}
