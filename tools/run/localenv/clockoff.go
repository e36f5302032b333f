package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// clockOffBinary is booking-service with a clock that is an hour ahead.
func (s *system) clockOffBinary() string { return s.binary("booking-service-clock-off") }

// buildClockOff compiles booking-service with a modified time.Now. Only the wall clock is wrong: timers and
// deadlines use the monotonic clock, as on a machine with a wrong clock.
func (s *system) buildClockOff(ctx context.Context) error {
	return s.out.step("clock-off", "compiling booking-service with a clock that is an hour ahead", "", func() error {
		output, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
		if err != nil {
			return err
		}
		original := filepath.Join(strings.TrimSpace(string(output)), "src", "time", "time.go")
		text, err := os.ReadFile(original)
		if err != nil {
			return err
		}
		const asked, answered = "\tsec, nsec, mono := runtimeNow()\n", "\tsec, nsec, mono := runtimeNow()\n\tsec += 3600\n"
		before, after, found := bytes.Cut(text, []byte("\nfunc Now() Time {\n"))
		if !found || !bytes.Contains(after, []byte(asked)) {
			return fmt.Errorf("time.Now in %s is not the expected version", original)
		}
		changed := bytes.Join([][]byte{before, bytes.Replace(after, []byte(asked), []byte(answered), 1)}, []byte("\nfunc Now() Time {\n"))
		replacement, overlay := s.confFile("time.go"), s.confFile("clock-off.json")
		list, err := json.Marshal(object{"Replace": map[string]string{original: replacement}})
		if err := errors.Join(err, os.MkdirAll(s.confFile(""), 0o700), writeAtomically(replacement, changed), writeAtomically(overlay, list)); err != nil {
			return err
		}
		return runQuietly(exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-overlay", overlay, //nolint:gosec // our own
			"-o", s.clockOffBinary(), "./services/booking-service"), s.root)
	})
}
