package mutant

import (
	"path/filepath"
	"testing"
)

// The edits must fit the source as it is, or the harness proves nothing.
func TestMutantsCompile(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range All {
		t.Run(m.Name, func(t *testing.T) {
			if _, err := m.Build(t.Context(), root, t.TempDir()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEditThatDoesNotFitIsAnError(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	m := Mutant{Name: "misfit", Edits: []Edit{{"booking/round.go", "there is no such passage", ""}}}
	if _, err := m.Build(t.Context(), root, t.TempDir()); err == nil {
		t.Error("an edit that fits nowhere was taken")
	}
}
