// Package kafka sends and receives Frontrow's messages: CloudEvents 1.0 in
// Kafka's binary mode with JSON data.
//
// A message is delivered at least once. A producer's error means that the
// outcome is unknown and the message may be sent again with the same ID; a
// consumer stores a message's offset only after its effect and drops what it
// has already seen by ID where the effect is stored.
package kafka

import (
	"errors"
	"fmt"
)

// ErrQueueFull is returned when more messages wait for the brokers than the
// producer keeps: back-pressure, nothing was sent.
var ErrQueueFull = errors.New("kafka: the producer's queue is full")

// DLQ returns the name of the topic that gathers the poison of a topic.
func DLQ(topic string) string { return topic + ".dlq" }

// Headers of a message in a dead-letter topic, beside those it came with.
const (
	// HeaderDLQReason says why no consumer can ever handle the message.
	HeaderDLQReason = "dlq-reason"
	// HeaderDLQOrigin is where it came from: topic/partition/offset.
	HeaderDLQOrigin = "dlq-origin"
)

type poisonError struct{ err error }

func (e *poisonError) Error() string { return e.err.Error() }
func (e *poisonError) Unwrap() error { return e.err }

// Poison marks an error that no retry can heal: the message goes to the
// dead-letter topic and the consumer goes on.
func Poison(err error) error { return &poisonError{err} }

// IsPoison tells whether err was marked by Poison.
func IsPoison(err error) bool {
	var p *poisonError
	return errors.As(err, &p)
}

// ErrNotTried is the outcome of a message that was left alone because an
// earlier one with the same key failed.
var ErrNotTried = errors.New("kafka: an earlier message with the same key failed")

// BatchError is what a Handler returns when some messages of a batch were
// handled and some were not.
type BatchError struct {
	// Errs has the outcome of each message of the batch; nil: its effect is
	// stored. Poison, a transient error or ErrNotTried otherwise.
	Errs []error
}

// Error says how many failed, and how the first of them did.
func (e *BatchError) Error() string {
	failed := 0
	var first error
	for _, err := range e.Errs {
		if err != nil {
			failed++
			if first == nil {
				first = err
			}
		}
	}
	return fmt.Sprintf("%d of %d messages failed: %v", failed, len(e.Errs), first)
}

// Unwrap returns the errors of the messages that failed.
func (e *BatchError) Unwrap() []error { return e.Errs }
