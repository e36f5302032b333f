package kafka

import (
	"strings"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func TestMessageSurvivesEncoding(t *testing.T) {
	in := Message{
		Topic: "booking_created", Key: "k", ID: "0199", Type: "frontrow.booking.created.v1", Source: "/booking-service",
		Time: time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC), Data: []byte(`{"a":1}`),
		Header: map[string]string{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
	out, err := decode(in.encode())
	if err != nil {
		t.Fatal(err)
	}
	if out.Topic != in.Topic || out.Key != in.Key || out.ID != in.ID || out.Type != in.Type || out.Source != in.Source ||
		!out.Time.Equal(in.Time) || string(out.Data) != string(in.Data) || out.Header["traceparent"] != in.Header["traceparent"] {
		t.Errorf("sent %+v, received %+v", in, out)
	}
}

func TestDecodeRefusesInvalidCloudEvents(t *testing.T) {
	for name, tc := range map[string]struct {
		header, value string
		drop          bool
		want          string
	}{
		"no specversion":    {header: "ce_specversion", drop: true, want: "ce_specversion"},
		"other specversion": {header: "ce_specversion", value: "0.3", want: "0.3"},
		"no id":             {header: "ce_id", drop: true, want: "ce_id"},
		"no type":           {header: "ce_type", drop: true, want: "ce_type"},
		"broken time":       {header: "ce_time", value: "yesterday", want: "ce_time"},
		"not JSON":          {header: "content-type", value: "text/plain", want: "content-type"},
	} {
		t.Run(name, func(t *testing.T) {
			m := Message{Topic: "t", Key: "k", ID: "1", Type: "x", Time: time.Now()}
			r := m.encode()
			var kept []kafka.Header
			for _, h := range r.Headers {
				if h.Key == tc.header {
					if tc.drop {
						continue
					}
					h.Value = []byte(tc.value)
				}
				kept = append(kept, h)
			}
			r.Headers = kept
			if _, err := decode(r); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v does not name %s", err, tc.want)
			}
		})
	}
}
