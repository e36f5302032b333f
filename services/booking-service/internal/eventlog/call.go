package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
)

// ErrOverloaded means that a queue is full: nothing was done.
var ErrOverloaded = fmt.Errorf("%w: overloaded", ErrUnavailable)

// Stages of a call.
const (
	waiting = iota
	taken
	abandoned
)

// call is a command, or a read if command is nil, submitted to a log.
type call struct {
	ctx     context.Context //nolint:containedctx // a call is a request
	command *logpb.Command
	made    time.Time
	stage   atomic.Int32
	done    chan struct{}
	answer  *logpb.Answer
	err     error
}

func newCall(ctx context.Context, command *logpb.Command) *call {
	return &call{ctx: ctx, command: command, made: time.Now(), done: make(chan struct{})}
}

// claim reports whether the caller is still waiting. If so, the caller then waits
// until the call is finished.
func (c *call) claim() bool {
	return c.stage.Load() == taken || c.stage.CompareAndSwap(waiting, taken)
}

func (c *call) finish(answer *logpb.Answer, err error) {
	c.answer, c.err = answer, err
	close(c.done)
}

// wait returns the answer, or an error if the call's context ends first.
func (c *call) wait() (*logpb.Answer, error) {
	select {
	case <-c.done:
		return c.answer, c.err
	case <-c.ctx.Done():
	}
	if c.stage.CompareAndSwap(waiting, abandoned) || c.command == nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(c.ctx))
	}
	return nil, fmt.Errorf("%w: %w", ErrUnknown, context.Cause(c.ctx))
}

// Errors of an Answer.
const (
	answerOverloaded  = "overloaded"
	answerUnavailable = "unavailable"
	answerUnknown     = "unknown"
)

func errorAnswer(err error) *logpb.Answer {
	switch {
	case errors.Is(err, ErrUnknown):
		return &logpb.Answer{Error: answerUnknown}
	case errors.Is(err, ErrOverloaded):
		return &logpb.Answer{Error: answerOverloaded}
	}
	return &logpb.Answer{Error: answerUnavailable}
}

// answerError returns the error encoded in an answer.
func answerError(a *logpb.Answer) error {
	switch a.GetError() {
	case "":
		return nil
	case answerUnknown:
		return ErrUnknown
	case answerOverloaded:
		return ErrOverloaded
	}
	return ErrUnavailable
}
