package edge

import (
	"errors"
	"net/http"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

func TestConcurrencyLimitRefusesUntilOneIsReleased(t *testing.T) {
	var l concurrencyLimit
	for range maxInFlight {
		if err := l.acquire(); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		err := l.acquire()
		var p *problem.Error
		if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable || p.Code != problem.CodeOverloaded {
			t.Fatalf("one above the limit: %v", err)
		}
	}
	if !l.reached() {
		t.Error("the limit is not reached")
	}
	l.release()
	if err := l.acquire(); err != nil {
		t.Errorf("after a release: %v", err)
	}
}
