package httpapi

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
)

func TestCursorComesBackAsItWas(t *testing.T) {
	want := event.Position{StartsAt: time.Date(2099, 3, 1, 19, 0, 0, 123_000, time.UTC), ID: uuid.New()}
	got, err := decodeCursor(encodeCursor(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Error(diff)
	}
	for _, broken := range []string{"x", "!", "MQ", encodeCursor(want)[2:], encodeCursor(event.Position{StartsAt: time.Unix(-1, 0)})} {
		if p, err := decodeCursor(broken); err == nil {
			t.Errorf("%q is %+v", broken, p)
		}
	}
}
