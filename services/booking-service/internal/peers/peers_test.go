package peers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/consul"
	"github.com/frontrow-tickets/frontrow/pkg/kafka"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// recorder is a handler that notes what it was given.
type recorder struct {
	mu   sync.Mutex
	seen []string
	fail func(key string) error
}

func (r *recorder) handle(_ context.Context, batch []kafka.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	errs, failed := make([]error, len(batch)), false
	for i, m := range batch {
		r.seen = append(r.seen, m.Key)
		if r.fail != nil {
			errs[i] = r.fail(m.Key)
			failed = failed || errs[i] != nil
		}
	}
	if failed {
		return &kafka.BatchError{Errs: errs}
	}
	return nil
}

func serve(t *testing.T, handler func(http.ResponseWriter, *http.Request) error) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := handler(w, r); err != nil {
			problem.From(err).Write(w, "")
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// messages are one for each block from 1 to n, keyed by its number.
func messages(t *testing.T, n int) []kafka.Message {
	t.Helper()
	event := uuid.New()
	batch := make([]kafka.Message, n)
	for i := range batch {
		data, err := json.Marshal(place{event, i + 1})
		if err != nil {
			t.Fatal(err)
		}
		batch[i] = kafka.Message{Key: string(rune('a' + i)), Data: data}
	}
	return batch
}

func TestMessagesAreHandledByTheReplicaOfTheirBlock(t *testing.T) {
	var here, there recorder
	remote := New("b", nil, "key")
	instances := []consul.Instance{{ID: "a", Addr: "unused"}, {ID: "b", Addr: serve(t, remote.Receive(there.handle))}}
	local := New("a", func() []consul.Instance { return instances }, "key")
	batch := messages(t, 20)
	if err := local.Share(here.handle)(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if len(here.seen) == 0 || len(there.seen) == 0 || len(here.seen)+len(there.seen) != len(batch) {
		t.Errorf("%v here and %v there", here.seen, there.seen)
	}
}

func TestWhatTheOtherReplicaDidNotSettleIsHandledHere(t *testing.T) {
	stranger := New("b", nil, "another key")
	cases := map[string]func(*recorder) string{
		"refuses some": func(there *recorder) string {
			there.fail = func(key string) error {
				if key > "j" {
					return errors.New("not now")
				}
				return nil
			}
			return serve(t, New("b", nil, "key").Receive(there.handle))
		},
		"has another secret": func(there *recorder) string { return serve(t, stranger.Receive(there.handle)) },
		"is gone":            func(*recorder) string { return "127.0.0.1:1" },
	}
	for name, address := range cases {
		t.Run(name, func(t *testing.T) {
			var here, there recorder
			instances := []consul.Instance{{ID: "b", Addr: address(&there)}}
			local := New("a", func() []consul.Instance { return instances }, "key")
			batch := messages(t, 20)
			if err := local.Share(here.handle)(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			for _, m := range batch {
				settledThere := slices.Contains(there.seen, m.Key) && (there.fail == nil || there.fail(m.Key) == nil)
				if settledThere == slices.Contains(here.seen, m.Key) {
					t.Errorf("message %s: settled there %v, handled here %v", m.Key, settledThere, !settledThere)
				}
			}
		})
	}
}

func TestErrorsReachTheRightMessages(t *testing.T) {
	var here recorder
	here.fail = func(key string) error {
		if key == "c" {
			return errors.New("no")
		}
		return nil
	}
	local := New("a", func() []consul.Instance { return nil }, "key")
	var each *kafka.BatchError
	if err := local.Share(here.handle)(t.Context(), messages(t, 5)); !errors.As(err, &each) {
		t.Fatalf("got %v", err)
	}
	for i, err := range each.Errs {
		if (err != nil) != (i == 2) {
			t.Errorf("message %d: %v", i, err)
		}
	}
}
