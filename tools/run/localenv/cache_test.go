package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newTestSystem(t *testing.T) (*system, *strings.Builder) {
	t.Helper()
	var printed strings.Builder
	root := t.TempDir()
	return &system{
		instance: "up", root: root, runDir: filepath.Join(root, ".run"), cacheDir: filepath.Join(root, "cache"),
		dataDir: filepath.Join(root, "cache", "data", "up"), out: &progress{out: &printed},
	}, &printed
}

// testArtifact counts its builds; what it builds is the content.
func testArtifact(dir, content string, builds *int) artifact {
	return artifact{name: "thing", dir: dir, inputs: []string{"pins"}, doing: "building", build: func(_ context.Context, _, to string) error {
		*builds++
		return errors.Join(os.WriteFile(filepath.Join(to, "thing.jar"), []byte(content), 0o600),
			os.Mkdir(filepath.Join(to, "lib"), 0o700), os.WriteFile(filepath.Join(to, "lib", "part.jar"), []byte(content), 0o600))
	}}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestObtainBuildsOnceThenTakesFromCache(t *testing.T) {
	s, _ := newTestSystem(t)
	builds := 0
	thing := testArtifact(t.TempDir(), "content", &builds)
	for range 3 {
		if err := s.obtain(t.Context(), thing); err != nil {
			t.Fatal(err)
		}
	}
	if builds != 1 {
		t.Errorf("built %d times, want once", builds)
	}
}

func TestObtainBuildsSideBySide(t *testing.T) {
	s, _ := newTestSystem(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	// Each build ends once the other has begun.
	begun := map[string]chan struct{}{"one": make(chan struct{}), "two": make(chan struct{})}
	build := func(own, other string) artifact {
		return artifact{name: own, dir: t.TempDir(), doing: "building", build: func(ctx context.Context, _, _ string) error {
			close(begun[own])
			select {
			case <-begun[other]:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
	}
	if err := s.obtain(ctx, build("one", "two"), build("two", "one")); err != nil {
		t.Error(err)
	}
}

func TestObtainBuildsAgainWhatWasDamaged(t *testing.T) {
	damages := map[string]func(t *testing.T, dir string){
		"changed file":     func(t *testing.T, dir string) { write(t, filepath.Join(dir, "thing.jar"), "other") },
		"file in a folder": func(t *testing.T, dir string) { write(t, filepath.Join(dir, "lib", "part.jar"), "other") },
		"file too many":    func(t *testing.T, dir string) { write(t, filepath.Join(dir, "alien.jar"), "other") },
		"missing file":     func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "thing.jar")) },
		"no checksums":     func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, manifestName)) },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			s, printed := newTestSystem(t)
			builds := 0
			thing := testArtifact(t.TempDir(), "content", &builds)
			if err := s.obtain(t.Context(), thing); err != nil {
				t.Fatal(err)
			}
			damage(t, s.location(thing))
			if err := s.obtain(t.Context(), thing); err != nil {
				t.Fatal(err)
			}
			if builds != 2 || !strings.Contains(printed.String(), "damaged") {
				t.Errorf("built %d times and printed %q; want a second build that is announced", builds, printed)
			}
			if err := s.check(thing); err != nil {
				t.Errorf("after the second build: %v", err)
			}
		})
	}
}

func TestObtainBuildsAgainWhenItsDescriptionChanges(t *testing.T) {
	s, _ := newTestSystem(t)
	builds := 0
	dir := t.TempDir()
	thing := testArtifact(dir, "content", &builds)
	for _, version := range []string{"1", "2"} {
		write(t, filepath.Join(dir, "pins"), version)
		if err := s.obtain(t.Context(), thing); err != nil {
			t.Fatal(err)
		}
	}
	if builds != 2 {
		t.Errorf("built %d times, want once for each version", builds)
	}
}

func TestObtainRefusesDownloadThatIsNotThePinnedOne(t *testing.T) {
	s, _ := newTestSystem(t)
	builds := 0
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pins"), strings.Repeat("0", 64)+"  thing.jar\n")
	thing := testArtifact(dir, "content", &builds)
	thing.pinned = "pins"
	err := s.obtain(t.Context(), thing)
	if err == nil || !strings.Contains(err.Error(), "thing.jar has another checksum") {
		t.Errorf("got %v, want a refusal that names the file", err)
	}
	if err := s.check(thing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the refused download is in the cache: %v", err)
	}
}

func TestInterruptedBuildLeavesNothingInCache(t *testing.T) {
	s, _ := newTestSystem(t)
	thing := artifact{name: "thing", dir: t.TempDir(), build: func(_ context.Context, _, to string) error {
		return errors.Join(os.WriteFile(filepath.Join(to, "half"), nil, 0o600), io.ErrUnexpectedEOF)
	}}
	if err := s.obtain(t.Context(), thing); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v", err)
	}
	if err := s.check(thing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a build is in the cache: %v", err)
	}
}
