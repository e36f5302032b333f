// Package mutant breaks booking-service in ways that the checks must detect.
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

// Mutant is booking-service with one fault in its source.
type Mutant struct {
	Name string
	// What is wrong with it.
	What string
	// Breaks is the check that must detect it; others may too.
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
		Name: "append-unconditional", What: "an entry is appended whatever the log's head is", Breaks: "I1",
		Edits: []Edit{
			{
				"cassandra/log.go",
				"SET head = ? WHERE event = ? IF head = ?`",
				"SET head = ? WHERE event = ?`",
			},
			{
				"cassandra/log.go",
				"	batch.Query(moveHead, head+1, int64(id), from)\n",
				"	_ = from\n	batch.Query(moveHead, head+1, int64(id))\n",
			},
			// Without a condition Cassandra does not say whether it was met.
			{
				"cassandra/log.go",
				"	applied, err = compareAndSet(session, batch)\n",
				"	applied, err = true, session.ExecuteBatch(batch)\n",
			},
		},
	},
	{
		Name: "answer-before-append", What: "clients are answered 0.2 s before the entry is appended to the log", Breaks: "I2",
		Edits: []Edit{
			{
				"eventlog/round.go",
				"		proven, err := l.prove(entry, reads)\n		if err != nil {\n			finish(batch, nil, err)\n			return\n		}\n		if !proven {\n			continue",
				"		finish(batch[:n], answers, nil)\n		time.Sleep(200 * time.Millisecond)\n		proven, err := l.prove(entry, reads)\n		if err != nil {\n			finish(batch[n:], nil, err)\n			return\n		}\n		if !proven {\n			batch = batch[n:]\n			continue",
			},
			{
				"eventlog/round.go",
				"		finish(batch[:n], answers, nil)\n		batch = batch[n:]\n",
				"		batch = batch[n:]\n",
			},
		},
	},
	{
		Name: "confirms-the-dead", What: "a payment confirms a hold that has ended and may be resold", Breaks: "I1",
		Edits: []Edit{
			{"booking/round.go", "	case b != nil && b.Status == Held:\n", "	case b != nil && b.Status != Confirmed:\n"},
		},
	},
	{
		Name: "cursor-early", What: "the cursor moves a second before Kafka is sent the messages", Breaks: "outbox",
		Edits: []Edit{
			{
				"eventlog/publish.go",
				"	if err := l.engine.publisher.Publish(ctx, messages); err != nil {\n		return from, err\n	}\n",
				"	time.AfterFunc(time.Second, func() { _ = l.engine.publisher.Publish(l.engine.ctx, messages) })\n",
			},
		},
	},
	{
		Name: "follower-decides", What: "what was decided against a state that is behind is appended all the same", Breaks: "I1",
		Edits: []Edit{
			{
				"eventlog/round.go",
				"		return false, l.readTo(ctx, next)\n",
				"		if err := l.readTo(ctx, next); err != nil {\n			return false, err\n		}\n		return l.append(entry)\n",
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
