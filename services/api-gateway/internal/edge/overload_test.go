package edge

import (
	"errors"
	"net/http"
	"testing"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

func TestGateTurnsAwayWhatIsTooMuchAndOpensAgain(t *testing.T) {
	var g gate
	var leave func()
	for range maxUnderWay {
		var err error
		if leave, err = g.enter(); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		_, err := g.enter()
		var p *problem.Error
		if !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable || p.Code != overloaded {
			t.Fatalf("one too many: %v", err)
		}
	}
	leave()
	if _, err := g.enter(); err != nil {
		t.Errorf("after one has left: %v", err)
	}
}
