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

// Handler stores the effect of messages of one partition, in their order. It
// is called for different partitions at once and may see a message again.
//
// Nil means that all effects are stored. A *BatchError tells for each message.
// Any other error concerns the whole batch: nothing of it is stored. Poison is
// then looked for by handling the messages one by one; any other error is
// transient and the batch is handed over again after a pause, for as long as it
// takes. When ctx ends the partition is about to go to another consumer.
type Handler func(ctx context.Context, batch []Message) error

// Each returns a Handler that handles one message after the other.
func Each(handle func(ctx context.Context, m Message) error) Handler {
	return ByKey(1, handle)
}

// ByKey returns a Handler that handles the messages of one key in order and up
// to n keys at once.
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

// tracedBatch handles a batch in one span, linked to the sender of each message.
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

// panicked makes poison of a handler's panic: no retry would help.
func panicked(value any) error {
	slog.Error("kafka: a handler panicked", "value", value, "stack", string(debug.Stack()))
	return Poison(fmt.Errorf("panic: %v", value))
}

func endSpan(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}
