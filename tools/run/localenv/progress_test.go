package main

import (
	"strings"
	"testing"
)

func TestProgressShowsAllRunningStepsAndRemovesThemAgain(t *testing.T) {
	var printed strings.Builder
	p := &progress{out: &printed, terminal: true}
	err := p.step("consul", "compiling", "built", func() error {
		return p.step("kafka", "downloading", "built", func() error {
			p.show()
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	status, rest, removed := strings.Cut(printed.String(), "\r\033[K")
	if status != "  consul 0 s, kafka 0 s …" || !removed {
		t.Errorf("the status is %q, removed: %t", status, removed)
	}
	lines := strings.Split(rest, "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "  kafka") || !strings.HasPrefix(lines[1], "  consul") {
		t.Errorf("the lines after it are %q, want one for kafka and one for consul", lines)
	}
}
