// Package kafka sends and receives Frontrow's messages: CloudEvents 1.0 in
// Kafka's binary mode with JSON data.
//
// Messages are delivered at least once. A producer's error means that the
// outcome is unknown; the message may be sent again with the same ID. A
// consumer stores a message's offset only after its effect, and drops
// duplicates by ID where the effect is stored.
package kafka

import (
	"errors"
	"fmt"
)

// ErrQueueFull is returned when the producer's queue is full. Nothing was sent.
var ErrQueueFull = errors.New("kafka: the producer's queue is full")

// DLQ returns the name of a topic's dead-letter topic.
func DLQ(topic string) string { return topic + ".dlq" }

// Headers of a message in a dead-letter topic, in addition to the original
// ones.
const (
	// HeaderDLQReason says why no consumer can handle the message.
	HeaderDLQReason = "dlq-reason"
	// HeaderDLQOrigin is the message's origin: topic/partition/offset.
	HeaderDLQOrigin = "dlq-origin"
)

type poisonError struct{ err error }

func (e *poisonError) Error() string { return e.err.Error() }
func (e *poisonError) Unwrap() error { return e.err }

// Poison marks an error that no retry can fix: the message goes to the
// dead-letter topic and the consumer continues.
func Poison(err error) error { return &poisonError{err} }

// IsPoison reports whether err was marked by Poison.
func IsPoison(err error) bool {
	var p *poisonError
	return errors.As(err, &p)
}

// ErrNotTried is the outcome of a message that was skipped because an earlier
// one with the same key failed.
var ErrNotTried = errors.New("kafka: an earlier message with the same key failed")

// BatchError is returned by a Handler that handled only some messages of a
// batch.
type BatchError struct {
	// Errs holds the outcome of each message of the batch: nil if its effect is
	// stored, otherwise poison, a transient error or ErrNotTried.
	Errs []error
}

// Error gives the number of failures and the first of them.
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
