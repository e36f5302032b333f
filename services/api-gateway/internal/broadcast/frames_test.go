package broadcast

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestUpdateHasAllFramesOfOnePosition(t *testing.T) {
	const (
		snapshot = "event: snapshot\nid: 7\ndata: {}\n\n"
		first    = "event: delta\ndata: a\n\n"
		last     = "event: delta\nid: 8\ndata: b\n\n"
	)
	for name, tt := range map[string]struct{ stream, want string }{
		"a snapshot":                   {snapshot, fmt.Sprintf("7 true false %q", snapshot)},
		"changes with one id":          {first + last, fmt.Sprintf("8 false false %q", first+last)},
		"a heartbeat":                  {": heartbeat\n\n", `-1 false true ""`},
		"an id alone":                  {"id: 7\n\n", `7 false false ""`},
		"retry for browsers before it": {"retry: 1000\n\n" + snapshot, fmt.Sprintf("7 true false %q", snapshot)},
		"a truncated frame":            {"event: delta\nid: 9\ndata: x\n", "EOF"},
		"changes whose id is missing":  {first, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := newUpdateReader(strings.NewReader(tt.stream)).next()
			got := fmt.Sprintf("%d %t %t %q", b.id, b.snapshot, b.comment, b.data)
			if errors.Is(err, io.EOF) {
				got = "EOF"
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	for _, id := range []string{"x", "-1", ""} {
		if b, err := newUpdateReader(strings.NewReader("id: " + id + "\ndata: x\n\n")).next(); err == nil {
			t.Errorf("the id %q was read as %d", id, b.id)
		}
	}
}
