package e2e

import (
	"context"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var walkThrough = regexp.MustCompile("(?s)<!-- walk-through:[^>]*-->\n```bash\n(.*?)```")

func TestReadmeWalkThroughWorksAsPasted(t *testing.T) {
	readme := must(os.ReadFile(filepath.Join("..", "..", "README.md")))(t)
	block := walkThrough.FindSubmatch(readme)
	if block == nil {
		t.Fatal("README.md has no walk-through")
	}
	for _, program := range []string{"curl", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("the walk-through needs %[1]s on PATH: install it (apt install %[1]s)", program)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// In another directory, so that the addresses are those of the system under
	// test.
	dir := t.TempDir()
	bash := exec.CommandContext(ctx, "bash", "--norc", "-e", "-c", string(block[1]))
	bash.Dir = dir
	output, err := bash.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	last := lines[len(lines)-1]
	if !regexp.MustCompile(`^booking [0-9a-f-]{36} is confirmed; the first ticket's code is \S{40,}, its QR code is in ticket.png$`).MatchString(last) {
		t.Fatalf("the last line is %q; all of it:\n%s", last, output)
	}
	picture := must(os.Open(filepath.Join(dir, "ticket.png")))(t)
	defer picture.Close()
	must(png.Decode(picture))(t)
}
