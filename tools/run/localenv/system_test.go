package main

import (
	"os"
	"path/filepath"
	"testing"
)

// An instance stops what an earlier run has left in its data folder, and clean
// removes the folder: it must not be another checkout's.
func TestCheckoutsDoNotShareData(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "tools", "run", "backends"), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Chdir(root)
		s, err := newSystem("up", "")
		if err != nil {
			t.Fatal(err)
		}
		seen[s.dataDir] = true
	}
	if len(seen) != 2 {
		t.Errorf("two checkouts use %v", seen)
	}
}
