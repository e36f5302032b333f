package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestNode is the oldest Node.js version that can build the web app, major and minor.
var oldestNode = [2]int{20, 19}

func findNode(ctx context.Context) bool {
	output, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return false
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return false
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(string(output), "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, _ := strconv.Atoi(major)
	b, _ := strconv.Atoi(minor)
	return slices.Compare([]int{a, b}, oldestNode[:]) >= 0
}

func (s *system) web() string { return filepath.Join(s.root, "web") }

// npm returns an npm command that runs in web/.
func (s *system) npm(ctx context.Context, arguments ...string) *exec.Cmd {
	command := npm(ctx, arguments...)
	command.Dir = s.web()
	return command
}

func npm(ctx context.Context, arguments ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "npm", append([]string{"--no-fund", "--no-audit", "--no-update-notifier"}, arguments...)...) //nolint:gosec // our own list
}

// webPackages installs node_modules as specified in package-lock.json.
func (s *system) webPackages(ctx context.Context) error {
	lock, err := os.ReadFile(filepath.Join(s.web(), "package-lock.json"))
	if err != nil {
		return err
	}
	sum := fmt.Appendf(nil, "%x\n", sha256.Sum256(lock))
	stamp := filepath.Join(s.web(), "node_modules", ".frontrow")
	if installed, err := os.ReadFile(stamp); err == nil && bytes.Equal(installed, sum) {
		return nil
	}
	return s.out.step("web packages", "getting what the web app is built with", "", func() error {
		if err := runQuietly(s.npm(ctx, "ci"), s.web()); err != nil {
			return err
		}
		return os.WriteFile(stamp, sum, 0o600)
	})
}

var bundleSize = regexp.MustCompile(`a buyer's pages load .*`)

// buildWeb builds the web app embedded in the gateway, unless it is up to date with its sources.
func (s *system) buildWeb(ctx context.Context) error {
	if err := s.webPackages(ctx); err != nil {
		return err
	}
	sum, err := s.webSources()
	if err != nil {
		return err
	}
	stamp := filepath.Join(s.root, ".run", "web.sum")
	_, missing := os.Stat(filepath.Join(s.web(), "dist", "app", "index.html"))
	if built, err := os.ReadFile(stamp); err == nil && missing == nil && string(built) == sum {
		return nil
	}
	var said string
	err = s.out.step("web app", "building", "", func() error {
		output, err := s.npm(ctx, "run", "build").CombinedOutput()
		if err != nil {
			return fmt.Errorf("build web app: %w\n%s", err, lastLines(string(output), 20))
		}
		said = bundleSize.FindString(string(output))
		return errors.Join(os.MkdirAll(filepath.Dir(stamp), 0o700), os.WriteFile(stamp, []byte(sum), 0o600))
	})
	if err == nil && said != "" {
		s.out.note(said)
	}
	return err
}

// webSources returns a checksum of all sources of the web app.
func (s *system) webSources() (string, error) {
	sum := sha256.New()
	add := func(path string) error {
		content, err := os.ReadFile(path)
		fmt.Fprintln(sum, path, len(content))
		_, _ = sum.Write(content)
		return err
	}
	err := filepath.WalkDir(s.web(), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"node_modules", "dist", "test-results"}, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || entry.Name() == "schema.d.ts":
			return nil
		}
		return add(path)
	})
	return fmt.Sprintf("%x\n", sum.Sum(nil)), errors.Join(err, add(filepath.Join(s.root, "api", "openapi.yaml")))
}
