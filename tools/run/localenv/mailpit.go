package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Mailpit is a mail server that keeps what it receives and shows it on a page.
const (
	mailpitName   = "mailpit"
	mailpitModule = "github.com/axllent/mailpit"
	// mailPagePort serves the page and an HTTP API, mailPort receives mail.
	mailPagePort = 8025
	mailPort     = 2525
	// keptMails is how many mails are kept; the oldest are removed first.
	keptMails = 10_000
)

// mailpitTool builds Mailpit from the pinned Go module and the lock file in it: the module has the sources of
// the page, not the page.
func mailpitTool(dir string) artifact {
	return artifact{name: mailpitName, dir: dir, inputs: []string{"go.mod", "go.sum"}, doing: "building, the first time only", build: buildMailpit}
}

func buildMailpit(ctx context.Context, dir, to string) error {
	module, err := moduleSource(ctx, dir, mailpitModule)
	if err != nil {
		return err
	}
	source, err := os.MkdirTemp(filepath.Dir(to), mailpitName+"-source-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(source) }()
	if err := os.CopyFS(source, os.DirFS(module)); err != nil {
		return err
	}
	for _, command := range []*exec.Cmd{
		npm(ctx, "ci", "--ignore-scripts"),
		npm(ctx, "run", "package"),
		exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", "-s -w", //nolint:gosec // our own
			"-o", filepath.Join(to, mailpitName), "."),
	} {
		command.Env = append(os.Environ(), "GOWORK=off")
		if err := runQuietly(command, source); err != nil {
			return err
		}
	}
	return nil
}

// moduleSource downloads the version of a Go module that dir/go.mod requires, and returns its folder in the
// module cache.
func moduleSource(ctx context.Context, dir, module string) (string, error) {
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	output, err := command.Output()
	var downloaded struct{ Dir, Error string }
	if json.Unmarshal(output, &downloaded) != nil || downloaded.Dir == "" {
		return "", fmt.Errorf("download %s: %s (%w)", module, downloaded.Error, err)
	}
	return downloaded.Dir, nil
}

func (s *system) mailpitProcess() process {
	page, smtp := s.ports.backend(mailPagePort), s.ports.backend(mailPort)
	return process{
		name: mailpitName, dir: s.dataOf(mailpitName), ports: []int{page, smtp}, readyPort: page, readyPath: "/readyz",
		command: []string{
			filepath.Join(s.location(s.artifact(mailpitName)), mailpitName), "--listen", local(page), "--smtp", local(smtp),
			"--database", filepath.Join(s.dataOf(mailpitName), "mails.db"), "--max", fmt.Sprint(keptMails),
			"--disable-version-check", "--smtp-disable-rdns", "--quiet",
		},
	}
}

// mailURL is the address of the page with all mails, and of Mailpit's HTTP API.
func (s *system) mailURL() string { return "http://" + local(s.ports.backend(mailPagePort)) }
