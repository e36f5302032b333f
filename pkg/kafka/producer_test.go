package kafka

import (
	"context"
	"errors"
	"testing"
)

func TestProducerRunsUntilItFailsOrTheContextEnds(t *testing.T) {
	p := newProducer(t, "127.0.0.1:1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Run(ctx); err != nil {
		t.Errorf("after the context's end: %v", err)
	}
	fenced := errors.New("fenced")
	p.fail(fenced)
	if err := p.Run(t.Context()); !errors.Is(err, fenced) {
		t.Errorf("after a fatal error: %v", err)
	}
}
