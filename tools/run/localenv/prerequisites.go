package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// prerequisite is a program that must be installed, and the Debian packages that provide it.
type prerequisite struct {
	name     string
	packages []string
	find     func(context.Context) bool
}

// postgresProgram is where PostgreSQL's programs are, and the user they run as.
type postgresProgram struct {
	bin string
	// runAs is the account of the server if we are root, as which PostgreSQL refuses to run; otherwise nil.
	runAs *user.User
}

func (s *system) prerequisites() []prerequisite {
	onPath := func(name string) func(context.Context) bool {
		return func(context.Context) bool {
			_, err := exec.LookPath(name)
			return err == nil
		}
	}
	list := []prerequisite{
		{name: "go", find: onPath("go")},
		{"gcc", []string{"gcc", "libc6-dev"}, onPath("gcc")},
		{"Java 17", []string{"openjdk-17-jdk-headless"}, s.findJava},
		{"mvn (Maven)", []string{"maven"}, onPath("mvn")},
		{"PostgreSQL's server", []string{"postgresql"}, s.findPostgres},
		{"redis-server", []string{"redis-server"}, onPath("redis-server")},
		{name: "Node.js 20.19 or later with npm", find: findNode},
	}
	if s.instance == "test" {
		list = append(list,
			prerequisite{"jq", []string{"jq"}, onPath("jq")}, // for README.md's walk-through
			prerequisite{"python3 (3.11 or later) with pip", []string{"python3", "python3-pip"}, findPip},
			prerequisite{"promtool", []string{"prometheus"}, onPath("promtool")},
			prerequisite{"chromium", []string{"chromium", "fonts-dejavu-core"}, onPath("chromium")},
			prerequisite{"pdftoppm and pdftotext", []string{"poppler-utils"}, onPath("pdftoppm")})
	}
	if os.Geteuid() == 0 {
		list = append(list, prerequisite{"setpriv", []string{"util-linux"}, onPath("setpriv")})
	}
	return list
}

// findPip reports whether Python 3.11 or later is there with pip, which installs schemathesis.
func findPip(ctx context.Context) bool {
	return exec.CommandContext(ctx, "python3", "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))").Run() == nil
}

// checkPrerequisites finds what is missing, and installs it if allowed.
func (s *system) checkPrerequisites(ctx context.Context) error {
	missing := missingOf(ctx, s.prerequisites())
	if len(missing) == 0 {
		return nil
	}
	_, noApt := exec.LookPath("apt-get")
	if os.Geteuid() == 0 && noApt == nil && installable(missing) {
		doing := "installing Debian's packages " + strings.Join(packagesOf(missing), " ")
		err := s.out.step("packages", doing, doing, func() error { return installPackages(ctx, packagesOf(missing)) })
		if err != nil {
			return err
		}
		missing = missingOf(ctx, missing)
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.New(missingSentence(missing))
}

func missingOf(ctx context.Context, list []prerequisite) []prerequisite {
	var missing []prerequisite
	for _, p := range list {
		if !p.find(ctx) {
			missing = append(missing, p)
		}
	}
	return missing
}

func installable(list []prerequisite) bool {
	return !slices.ContainsFunc(list, func(p prerequisite) bool { return len(p.packages) == 0 })
}

func packagesOf(list []prerequisite) []string {
	var packages []string
	for _, p := range list {
		packages = append(packages, p.packages...)
	}
	return packages
}

func missingSentence(missing []prerequisite) string {
	var names []string
	for _, p := range missing {
		names = append(names, p.name)
	}
	sentence := "missing on this machine: " + strings.Join(names, ", ") + "; put it on PATH"
	if packages := packagesOf(missing); len(packages) > 0 {
		sentence += ", on Debian by `apt-get install " + strings.Join(packages, " ") + "`"
	}
	return sentence + ", then try again"
}

const policyFile = "/usr/sbin/policy-rc.d"

// installPackages installs Debian packages without letting them start their services: ours run on other
// ports.
func installPackages(ctx context.Context, packages []string) error {
	if _, err := os.Stat(policyFile); errors.Is(err, os.ErrNotExist) {
		// Debian runs this program before a package starts its service; 101 means no. It must be executable.
		if err := os.WriteFile(policyFile, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil { //nolint:gosec // see above
			return err
		}
		defer func() { _ = os.Remove(policyFile) }()
	}
	install := append([]string{"install", "-y", "-q", "--no-install-recommends"}, packages...)
	for _, arguments := range [][]string{{"update", "-q"}, install} {
		command := exec.CommandContext(ctx, "apt-get", arguments...) //nolint:gosec // our own list
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s failed:\n%s", arguments[0], lastLines(string(output), 20))
		}
	}
	return nil
}

var javaVersion = regexp.MustCompile(`version "17[.\-+"]`)

// findJava looks for exactly Java 17: Cassandra 5 fails with 18 and later, Kafka 4 needs at least 17.
func (s *system) findJava(ctx context.Context) bool {
	candidates := []string{filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java"), "java"}
	installed, _ := filepath.Glob("/usr/lib/jvm/*17*/bin/java")
	for _, java := range append(candidates, installed...) {
		output, err := exec.CommandContext(ctx, java, "-version").CombinedOutput() //nolint:gosec // looking for it
		if err == nil && javaVersion.Match(output) {
			s.java, err = exec.LookPath(java)
			return err == nil
		}
	}
	return false
}

// findPostgres prefers the version on PATH, then the newest of Debian's, which are not on PATH.
func (s *system) findPostgres(context.Context) bool {
	directories, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(directories, func(a, b string) int { return debianMajor(b) - debianMajor(a) })
	if onPath, err := exec.LookPath("initdb"); err == nil {
		directories = append([]string{filepath.Dir(onPath)}, directories...)
	}
	for _, dir := range directories {
		if !isFile(filepath.Join(dir, "initdb")) || !isFile(filepath.Join(dir, "postgres")) {
			continue
		}
		s.pg = postgresProgram{bin: dir}
		if os.Geteuid() != 0 {
			return true
		}
		for _, name := range []string{"postgres", "nobody"} {
			if account, err := user.Lookup(name); err == nil {
				s.pg.runAs = account
				return true
			}
		}
	}
	return false
}

func debianMajor(bin string) int {
	major, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return major
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
