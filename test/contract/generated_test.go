package contract_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestTypesAreGeneratedFromTheContract runs go generate on copies.
func TestTypesAreGeneratedFromTheContract(t *testing.T) {
	const root = "../.."
	for folder, directive := range map[string]string{"api/rest": "doc.go", "test/client": "client.go"} {
		t.Run(folder, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{
				"api/openapi.yaml", folder + "/" + directive, folder + "/oapi-codegen.yaml", folder + "/overlay.yaml",
				"tools/test/oapi-codegen/go.mod", "tools/test/oapi-codegen/go.sum", filepath.Dir(folder) + "/go.mod",
			} {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, read(t, filepath.Join(root, name)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			generate := exec.CommandContext(t.Context(), "go", "generate", directive)
			generate.Dir = filepath.Join(dir, folder)
			generate.Env = append(os.Environ(), "GOWORK=off")
			if out, err := generate.CombinedOutput(); err != nil {
				t.Fatalf("go generate: %v\n%s", err, out)
			}
			if types := folder + "/types.gen.go"; !bytes.Equal(read(t, filepath.Join(dir, types)), read(t, filepath.Join(root, types))) {
				t.Errorf("%s is not what openapi.yaml says: go generate ./%s", types, folder)
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
