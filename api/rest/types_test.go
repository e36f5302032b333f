package rest_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTypesAreGeneratedFromTheContract runs go generate on a copy.
func TestTypesAreGeneratedFromTheContract(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"openapi.yaml", "rest/doc.go", "rest/oapi-codegen.yaml", "rest/overlay.yaml"} {
		content, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	generate := exec.CommandContext(t.Context(), "go", "generate", "doc.go")
	generate.Dir = filepath.Join(dir, "rest")
	generate.Env = append(os.Environ(), "GOWORK=off")
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("go generate: %v\n%s", err, out)
	}
	want, err := os.ReadFile(filepath.Join(dir, "rest", "types.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("types.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Error("types.gen.go is not what openapi.yaml says: go generate ./api/rest")
	}
}
