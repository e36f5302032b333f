package kafka

import (
	"errors"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func TestProducerIsStuckWhenNothingArrivesThoughTheClusterAnswers(t *testing.T) {
	start := time.Now()
	timedOut := kafka.NewError(kafka.ErrMsgTimedOut, "", false)
	type step struct {
		after   time.Duration // since the start
		sent    error
		answers bool
		want    bool
	}
	long := 2 * stuckAfter
	for name, steps := range map[string][]step{
		"nothing arrives": {{0, timedOut, true, false}, {stuckAfter, timedOut, true, true}},
		"something arrives": {
			{0, timedOut, true, false}, {stuckAfter / 2, nil, true, false}, {stuckAfter / 2, timedOut, true, false}, {stuckAfter, timedOut, true, false},
		},
		"the cluster is down":        {{0, timedOut, false, false}, {long, timedOut, false, false}},
		"the cluster has just come":  {{0, timedOut, false, false}, {long, timedOut, true, false}},
		"it came a while ago":        {{0, timedOut, false, false}, {long, timedOut, true, false}, {long + stuckAfter, timedOut, true, true}},
		"it was away again":          {{0, timedOut, true, false}, {stuckAfter / 2, timedOut, false, false}, {stuckAfter, timedOut, true, false}},
		"messages fail for a reason": {{0, errors.New("too large"), true, false}, {long, errors.New("too large"), true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			var s stuck
			for i, c := range steps {
				now := start.Add(c.after)
				s.note("topic", c.sent, now)
				if got := s.check(now, func(topic string) bool { return topic == "topic" && c.answers }); got != c.want {
					t.Errorf("step %d: %v, want %v", i+1, got, c.want)
				}
			}
		})
	}
}
