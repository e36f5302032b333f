// Package mutant breaks booking-service in ways that the harness must notice.
// A mutant is a few exact replacements in the source, given to the compiler as
// an overlay: the tree stays as it is.
package mutant

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Mutant is one way to build booking-service wrong.
type Mutant struct {
	Name string
	// What is wrong with it.
	What string
	// Breaks is the check that must find it; others may as well.
	Breaks string
	Edits  []Edit
}

// Edit replaces one passage, which occurs once in the file.
type Edit struct {
	// File below services/booking-service/internal.
	File, Find, Replace string
}

const internal = "services/booking-service/internal"

// All are the mutants.
var All = []Mutant{
	{
		Name: "unconditional", What: "holds are written without asking who owns the seats", Breaks: "I1",
		Edits: []Edit{
			{
				"cassandra/store.go",
				"AND seat_index = ? AND booking_id = ? IF owner = ?`",
				"AND seat_index = ? AND booking_id = ?`",
			},
			{
				"cassandra/store.go",
				"event, id.Block, c.Index, gocql.UUID{}, gocql.UUID(c.From))",
				"event, id.Block, c.Index, gocql.UUID{})",
			},
			// Redis still says no; here it is the last to be believed.
			{
				"booking/attempt.go",
				"	switch answer.Verdict {\n	default:\n	case LocksRefused:",
				"	answer.Verdict = LocksTaken\n	switch answer.Verdict {\n	default:\n	case LocksRefused:",
			},
		},
	},
	{
		Name: "confirms-the-dead", What: "a payment confirms a hold that has ended and may be resold", Breaks: "I1",
		Edits: []Edit{
			{
				"booking/transitions.go",
				"		case r.Status == Held:\n			now := s.clock.Now()\n			r.Status, r.ConfirmedAt = Confirmed, &now",
				"		case r.Status != Confirmed:\n			now := s.clock.Now()\n			r.Status, r.ConfirmedAt = Confirmed, &now",
			},
		},
	},
	{
		Name: "outbox-after", What: "the message is written a second after the answer instead of with the booking", Breaks: "outbox",
		Edits: []Edit{
			{
				"booking/attempt.go",
				"	err = s.commit(ctx, h, &rec, entry)\n",
				"	late := rec\n	rec.Outbox = nil\n	err = s.commit(ctx, h, &rec, entry)\n",
			},
			{
				"booking/attempt.go",
				"	s.publish(rec)\n	return rec.Booking, false, nil",
				"	time.AfterFunc(time.Second, func() { s.publish(late) })\n	return rec.Booking, false, nil",
			},
		},
	},
}

// Build compiles the mutant from the checkout at root and returns the program,
// which it leaves in dir beside the overlay.
func (m Mutant) Build(ctx context.Context, root, dir string) (program string, err error) {
	overlay, err := m.overlay(root, dir)
	if err != nil {
		return "", err
	}
	program = filepath.Join(dir, "booking-service")
	build := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", program, "./services/booking-service") //nolint:gosec // our own paths
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mutant %s: %w\n%s", m.Name, err, output)
	}
	return program, nil
}

// overlay writes the changed files and says to the compiler what they replace.
func (m Mutant) overlay(root, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	changed := map[string]string{}
	for _, edit := range m.Edits {
		original := filepath.Join(root, internal, edit.File)
		text, seen := changed[original]
		if !seen {
			source, err := os.ReadFile(original)
			if err != nil {
				return "", err
			}
			text = string(source)
		}
		if n := strings.Count(text, edit.Find); n != 1 {
			return "", fmt.Errorf("mutant %s: %s has %d places like this, want 1:\n%s", m.Name, edit.File, n, edit.Find)
		}
		changed[original] = strings.Replace(text, edit.Find, edit.Replace, 1)
	}
	replace := map[string]string{}
	for original, text := range changed {
		path := filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(original, filepath.Join(root, internal)+"/"), "/", "-"))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[original] = path
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, list, 0o600)
}
