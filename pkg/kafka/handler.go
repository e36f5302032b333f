package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Handler stores the effects of messages of one partition, in order. It is
// called concurrently for different partitions and may see a message again.
//
// A nil error means that all effects are stored. A *BatchError gives the
// outcome of each message. Any other error concerns the whole batch: nothing in
// it is stored. If that error is poison, the consumer handles the messages one
// by one to find the poison; otherwise the error is transient, and the consumer
// retries the batch after a backoff, indefinitely. When ctx ends, the partition
// is about to move to another consumer.
type Handler func(ctx context.Context, batch []Message) error

// Each returns a Handler that handles messages one at a time.
func Each(handle func(ctx context.Context, m Message) error) Handler {
	return ByKey(1, handle)
}

// ByKey returns a Handler that handles the messages of one key in order and up
// to n keys concurrently.
func ByKey(n int, handle func(ctx context.Context, m Message) error) Handler {
	return func(ctx context.Context, batch []Message) error {
		keys := map[string][]int{}
		var order []string
		for i := range batch {
			k := batch[i].Key
			if keys[k] == nil {
				order = append(order, k)
			}
			keys[k] = append(keys[k], i)
		}
		errs := make([]error, len(batch))
		one := func(key string) {
			var failed error
			for _, i := range keys[key] {
				if failed != nil {
					errs[i] = ErrNotTried
					continue
				}
				errs[i] = traced(ctx, &batch[i], handle)
				if errs[i] != nil && !IsPoison(errs[i]) {
					failed = errs[i]
				}
			}
		}
		if n == 1 || len(order) == 1 {
			for _, k := range order {
				one(k)
			}
		} else {
			var wg sync.WaitGroup
			slots := make(chan struct{}, n)
			for _, k := range order {
				slots <- struct{}{}
				wg.Go(func() {
					defer func() { <-slots }()
					one(k)
				})
			}
			wg.Wait()
		}
		for _, err := range errs {
			if err != nil {
				return &BatchError{Errs: errs}
			}
		}
		return nil
	}
}

// traced handles a message in a span that continues the sender's trace.
func traced(ctx context.Context, m *Message, handle func(context.Context, Message) error) (err error) {
	ctx, span := tracer.Start(m.Context(ctx), "process "+m.Topic, trace.WithSpanKind(trace.SpanKindConsumer))
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
		endSpan(span, err)
	}()
	if span.IsRecording() {
		span.SetAttributes(attribute.String("messaging.system", "kafka"),
			attribute.String("messaging.destination.name", m.Topic), attribute.String("messaging.message.id", m.ID))
	}
	return handle(ctx, *m)
}

// tracedBatch handles a batch in one span, linked to the span of each message's
// sender.
func tracedBatch(ctx context.Context, topic string, batch []Message, handle Handler) (err error) {
	opts := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer)}
	if len(batch) == 1 {
		ctx = batch[0].Context(ctx)
	} else {
		for i := range batch {
			if sc := trace.SpanContextFromContext(batch[i].Context(context.Background())); sc.IsSampled() {
				opts = append(opts, trace.WithLinks(trace.Link{SpanContext: sc}))
			}
		}
	}
	ctx, span := tracer.Start(ctx, "receive "+topic, opts...)
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
		endSpan(span, err)
	}()
	return handle(ctx, batch)
}

// panicked turns a handler's panic into poison, because a retry would not help.
func panicked(value any) error {
	slog.Error("kafka: handler panicked", "value", value, "stack", string(debug.Stack()))
	return Poison(fmt.Errorf("panic: %v", value))
}

func endSpan(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}
