package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// artifact is something built from a pinned description and cached: a tool, or the jars of a backend or a
// test.
type artifact struct {
	name string
	// dir describes the artifact. Its files named in inputs and the platform determine whether a cached build
	// is current.
	dir    string
	inputs []string
	doing  string
	build  func(ctx context.Context, dir, to string) error
	// pinned lists the SHA-256 of each file, for clients that check downloads only against the server's
	// checksums.
	pinned string
}

const manifestName = "manifest.sha256"

func goTool(name, dir, doing string, packages map[string]string) artifact {
	return artifact{name: name, dir: dir, inputs: []string{"go.mod", "go.sum"}, doing: doing, build: func(ctx context.Context, dir, to string) error {
		for binary, path := range packages {
			command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", //nolint:gosec // our own list
				"-ldflags", "-s -w", "-o", filepath.Join(to, binary), path)
			command.Env = append(os.Environ(), "GOWORK=off")
			if err := runQuietly(command, dir); err != nil {
				return err
			}
		}
		return nil
	}}
}

// maven is held while Maven runs: its local repository takes one process at a time.
var maven sync.Mutex

func jars(name, dir string) artifact {
	return artifact{name: name, dir: dir, inputs: []string{"pom.xml", "jars.sha256"}, pinned: "jars.sha256", doing: "downloading", build: func(ctx context.Context, dir, to string) error {
		maven.Lock()
		defer maven.Unlock()
		return runQuietly(exec.CommandContext(ctx, "mvn", "-B", "-q", "-ntp", "-C", "dependency:copy-dependencies", //nolint:gosec // our own folder
			"-DincludeScope=runtime", "-DoutputDirectory="+to), dir)
	}}
}

// schemathesis and what it needs, whose hashes are pinned.
func (s *system) schemathesis() artifact {
	dir := filepath.Join(s.root, "tools", "test", "schemathesis")
	return artifact{name: "schemathesis", dir: dir, inputs: []string{"requirements.txt"}, doing: "downloading", build: func(ctx context.Context, dir, to string) error {
		return runQuietly(exec.CommandContext(ctx, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
			"--require-hashes", "--no-deps", "--no-compile", "--target", to, "-r", "requirements.txt"), dir)
	}}
}

func (s *system) artifacts() []artifact {
	at := func(dir string) string { return filepath.Join(s.root, "tools", "run", dir) }
	list := []artifact{
		goTool("process-compose", at("processcompose"), "building, the first time only",
			map[string]string{"process-compose": "github.com/f1bonacc1/process-compose/src"}),
		jars("kafka", at("backends/kafka")),
		jars("cassandra", at("backends/cassandra")),
		goTool(consulName, at(consulName), "building, the first time only",
			map[string]string{consulName: "github.com/hashicorp/consul"}),
		mailpitTool(at(mailpitName)),
	}
	if s.clustered() {
		list = append(list, goTool(toxiproxyName, at(toxiproxyName), "building, the first time only",
			map[string]string{toxiproxyName: "github.com/Shopify/toxiproxy/v2/cmd/server"}))
	}
	return list
}

func (s *system) lintTools() artifact {
	return goTool("lint", filepath.Join(s.root, "tools", "test", "lint"), "building, the first time only", map[string]string{
		"golangci-lint": "github.com/golangci/golangci-lint/v2/cmd/golangci-lint",
		"gotestsum":     "gotest.tools/gotestsum",
	})
}

func (s *system) helm() artifact {
	return goTool("helm", filepath.Join(s.root, "tools", "test", "helm"), "building, the first time only: about two minutes",
		map[string]string{"helm": "helm.sh/helm/v3/cmd/helm"})
}

// strimzi holds the classes against which the charts' Strimzi objects are checked.
func (s *system) strimzi() artifact { return jars("strimzi", filepath.Join(s.root, "test", "strimzi")) }

// prepare makes sure that every backend is cached and undamaged.
func (s *system) prepare(ctx context.Context) error {
	if err := s.checkPrerequisites(ctx); err != nil {
		return err
	}
	return s.obtain(ctx, s.artifacts()...)
}

// where prints the folder of one artifact.
func (s *system) where(context.Context) error {
	for _, a := range append(s.artifacts(), s.lintTools(), s.helm(), s.strimzi()) {
		if a.name == s.prefix {
			fmt.Println(s.location(a))
			return nil
		}
	}
	return fmt.Errorf("no artifact is called %q", s.prefix)
}

// obtain takes artifacts from the cache, and builds those that are missing or damaged, side by side.
func (s *system) obtain(ctx context.Context, list ...artifact) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, a := range list {
		group.Go(func() error { return s.obtainOne(ctx, a) })
	}
	return group.Wait()
}

func (s *system) obtainOne(ctx context.Context, a artifact) error {
	unlock, err := s.lock(ctx, filepath.Join(s.cacheDir, "locks", a.name), a.name)
	if err != nil {
		return err
	}
	defer unlock()
	damage := s.check(a)
	if damage == nil {
		return nil
	}
	if !errors.Is(damage, fs.ErrNotExist) {
		s.out.note(fmt.Sprintf("%s: the copy in the cache is damaged (%v), building it again", a.name, damage))
	}
	if err := s.out.step(a.name, a.doing, "built", func() error { return s.make(ctx, a) }); err != nil {
		return fmt.Errorf("build %s: %w", a.name, err)
	}
	return nil
}

// location is the folder of an artifact in the cache. Each version of the description has its own folder.
func (s *system) location(a artifact) string {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.GOOS, runtime.GOARCH)
	for _, input := range a.inputs {
		content, _ := os.ReadFile(filepath.Join(a.dir, input)) // if it is missing, the build fails with a better message
		fmt.Fprintln(sum, input, len(content))
		_, _ = sum.Write(content)
	}
	return filepath.Join(s.cacheDir, "backends", fmt.Sprintf("%s-%x", a.name, sum.Sum(nil)[:6]))
}

// check returns fs.ErrNotExist if a is not cached, and another error if it was changed since it was built.
func (s *system) check(a artifact) error {
	dir := s.location(a)
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	want, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return errors.New("no checksum list")
	}
	got, err := manifest(dir)
	if err != nil {
		return err
	}
	return compareManifests(string(want), got)
}

// make builds a in a temporary place and moves it when complete, so that an interrupted build leaves nothing
// behind.
func (s *system) make(ctx context.Context, a artifact) error {
	final := s.location(a)
	partial := final + ".partial"
	if err := errors.Join(os.RemoveAll(partial), os.RemoveAll(final), os.MkdirAll(partial, 0o700)); err != nil {
		return err
	}
	if err := a.build(ctx, a.dir, partial); err != nil {
		return err
	}
	sums, err := manifest(partial)
	if err != nil {
		return err
	}
	if a.pinned != "" {
		pins, err := os.ReadFile(filepath.Join(a.dir, a.pinned))
		if err != nil {
			return err
		}
		if err := compareManifests(string(pins), sums); err != nil {
			return fmt.Errorf("download does not match the checksums in %s: %w", a.pinned, err)
		}
	}
	if err := os.WriteFile(filepath.Join(partial, manifestName), []byte(sums), 0o600); err != nil {
		return err
	}
	return os.Rename(partial, final)
}

// manifest lists the files in dir and below with their SHA-256, by name, in the format of sha256sum.
func manifest(dir string) (string, error) {
	var list strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == filepath.Join(dir, manifestName) {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		sum := sha256.New()
		if _, err := io.Copy(sum, file); err != nil {
			return err
		}
		_, err = fmt.Fprintf(&list, "%x  %s\n", sum.Sum(nil), name)
		return err
	})
	return list.String(), err
}

// compareManifests returns an error that names the first file that differs.
func compareManifests(want, got string) error {
	wanted, found := parseManifest(want), parseManifest(got)
	for name, sum := range wanted {
		switch {
		case found[name] == "":
			return fmt.Errorf("%s is missing", name)
		case found[name] != sum:
			return fmt.Errorf("%s has another checksum", name)
		}
	}
	for name := range found {
		if wanted[name] == "" {
			return fmt.Errorf("%s is not in the manifest", name)
		}
	}
	return nil
}

func parseManifest(text string) map[string]string {
	sums := map[string]string{}
	for line := range strings.Lines(text) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			sums[name] = sum
		}
	}
	return sums
}

// runQuietly runs a command and shows the end of its output only if it fails.
func runQuietly(command *exec.Cmd, dir string) error {
	var output bytes.Buffer
	command.Dir = dir
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(command.Path), err, lastLines(output.String(), 20))
	}
	return nil
}

// lastLines returns the last n lines, truncated to fit a terminal.
func lastLines(text string, n int) string {
	const longest = 400
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	lines = lines[max(0, len(lines)-n):]
	for i, line := range lines {
		if len(line) > longest {
			lines[i] = strings.ToValidUTF8(line[:longest], "") + "…"
		}
	}
	return strings.Join(lines, "\n")
}
