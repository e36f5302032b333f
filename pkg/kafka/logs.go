package kafka

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

// sameLineEvery is how often a log line about a lost connection is repeated.
// While a broker is down, librdkafka logs it at every attempt.
const sameLineEvery = 30 * time.Second

// logLines forwards librdkafka's log to the default logger until the channel
// closes.
func logLines(lines <-chan kafka.LogEvent) {
	last := map[string]time.Time{}
	for l := range lines {
		if l.Tag == "FAIL" || l.Tag == "ERROR" {
			kind := l.Tag + lineKind(l.Message)
			if l.Timestamp.Sub(last[kind]) < sameLineEvery {
				continue
			}
			last[kind] = l.Timestamp
		}
		slog.LogAttrs(context.Background(), level(l.Level), "kafka: "+l.Message,
			slog.String("client", l.Name), slog.String("tag", l.Tag))
	}
}

// lineKind returns the part of a line before its variable figures: "…: Connect
// to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in state
// CONNECT, 23 identical …)".
func lineKind(line string) string {
	if i := strings.Index(line, " (after"); i >= 0 {
		line = line[:i]
	}
	if i := strings.LastIndex(line, "failed:"); i >= 0 {
		line = line[i:]
	}
	return line
}

// level converts a syslog level.
func level(syslog int) slog.Level {
	switch {
	case syslog <= 5:
		// Not our errors: a broker that is down comes back.
		return slog.LevelWarn
	case syslog == 6:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}
