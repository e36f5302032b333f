package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// endToEnd lists the packages of the module test whose tests need running services.
var endToEnd = []string{"/test/e2e", "/test/robustness/short"}

// suite collects failures, so that one run reports all of them.
type suite struct {
	*system
	tools   string // folder of golangci-lint and gotestsum
	passed  int
	failed  []string
	skipped []string // checks whose answer could not be had
	modules []string
}

func (s *system) newSuite(ctx context.Context) (*suite, error) {
	if err := s.checkPrerequisites(ctx); err != nil {
		return nil, err
	}
	tools := s.lintTools()
	if err := s.obtain(ctx, tools); err != nil {
		return nil, err
	}
	modules, err := s.modules(ctx)
	return &suite{system: s, tools: s.location(tools), modules: modules}, err
}

// modules returns the folders listed in go.work.
func (s *system) modules(ctx context.Context) ([]string, error) {
	command := exec.CommandContext(ctx, "go", "work", "edit", "-json")
	command.Dir = s.root
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go work edit: %w", err)
	}
	var work struct{ Use []struct{ DiskPath string } }
	if err := json.Unmarshal(output, &work); err != nil {
		return nil, err
	}
	var modules []string
	for _, use := range work.Use {
		modules = append(modules, filepath.Clean(use.DiskPath))
	}
	return modules, nil
}

// lint vets and lints every module.
func (s *system) lint(ctx context.Context) error {
	began := time.Now()
	u, err := s.newSuite(ctx)
	if err != nil {
		return err
	}
	u.lintModules(ctx)
	return u.verdict(ctx, began)
}

// test runs all tests on a separate instance with fresh data, and always stops that instance afterwards.
func (s *system) test(ctx context.Context) error {
	began := time.Now()
	u, err := s.newSuite(ctx)
	if err != nil {
		return err
	}
	wanted := append(s.artifacts(), s.strimzi(), s.schemathesis())
	if os.Getenv("FRONTROW_HELM") == "" {
		wanted = append(wanted, s.helm())
	}
	if err := s.obtain(ctx, wanted...); err != nil {
		return err
	}
	unlock, err := s.lockInstance(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	u.title("Lint")
	u.lintModules(ctx)
	if err := s.buildServices(ctx); err != nil {
		return err
	}
	u.title("Web app")
	u.command(ctx, "check web", "web", nil, "npm", "run", "--silent", "check")
	u.command(ctx, "test web", "web", nil, "npm", "run", "--silent", "test")
	u.auditWeb(ctx)
	if err := s.orStop(ctx, func() error { return u.testOnBackends(ctx) }); err != nil {
		return err
	}
	u.title("Stop")
	if err := s.stopAll(ctx); err != nil {
		return err
	}
	if len(u.failed) == 0 {
		if err := s.removeData(); err != nil {
			return err
		}
	}
	return u.verdict(ctx, began)
}

// testOnBackends tests the modules on fresh backends. It then starts the services on fresh backends again and
// tests the whole system: messages that a module's tests leave in a topic must not reach the services.
func (u *suite) testOnBackends(ctx context.Context) error {
	u.title("Backends")
	p, err := u.freshBackends(ctx)
	if err != nil {
		return err
	}
	env := u.envLines(p)
	u.title("Unit and integration tests")
	u.command(ctx, "alerts", ".", nil, "promtool", "test", "rules", "observability/alerts/test.yaml")
	// Use an existing Helm if there is one: building it takes minutes.
	helm := cmp.Or(os.Getenv("FRONTROW_HELM"), filepath.Join(u.location(u.helm()), "helm"))
	env = append(env, "FRONTROW_HELM="+helm, "FRONTROW_STRIMZI="+u.location(u.strimzi()), "FRONTROW_JAVA="+u.java)
	for _, module := range u.modules {
		packages, err := u.packages(ctx, module)
		if err != nil {
			return err
		}
		u.gotestsum(ctx, module, env, "pkgname", append([]string{"-timeout=5m"}, packages...)...)
	}
	u.title("Fresh backends and the services")
	if p, err = u.freshBackends(ctx); err != nil {
		return err
	}
	if err := u.migrate(ctx, p.migrations); err != nil {
		return err
	}
	if err := u.startServices(ctx, p); err != nil {
		return err
	}
	u.title("End-to-end tests")
	// One package at a time: they stop the same backends.
	u.gotestsum(ctx, "test", u.envLines(p), "testname", "-p=1", "-timeout=40m", "./e2e/...", "./robustness/short/...")
	u.title("Contract")
	packages := u.location(u.schemathesis())
	u.command(ctx, "schemathesis", "tools/test/schemathesis", append(u.envLines(p), "PYTHONPATH="+packages, "PYTHONDONTWRITEBYTECODE=1"),
		filepath.Join(packages, "bin", "st"), "run", "--origin", u.publicURL(), "../../../api/openapi.yaml")
	u.title("In a browser")
	u.command(ctx, "browser", "web", u.envLines(p), "npx", "playwright", "test")
	return ctx.Err()
}

// freshBackends stops everything, removes the data, and starts empty backends.
func (s *system) freshBackends(ctx context.Context) (plan, error) {
	if err := s.stopAll(ctx); err != nil {
		return plan{}, err
	}
	if err := s.removeData(); err != nil {
		return plan{}, err
	}
	p, err := s.plan()
	if err != nil {
		return plan{}, err
	}
	if err := s.startBackends(ctx, p, p.backends); err != nil {
		return plan{}, err
	}
	return p, s.writeEnv(p)
}

func (u *suite) title(text string) { fmt.Fprintf(u.out.out, "\n%s\n", text) }

func (u *suite) lintModules(ctx context.Context) {
	if overlay, err := u.benchOverlay(); err != nil {
		u.failed = append(u.failed, err.Error())
	} else {
		// Not vet, which does not find packages whose folder exists only in the overlay.
		u.command(ctx, "build the load test's services", ".", nil, "go", "build", "-overlay", overlay, "./services/booking-service", "./services/api-gateway")
	}
	for _, module := range u.modules {
		u.command(ctx, "vet "+module, module, nil, "go", "vet", "./...")
		u.command(ctx, "lint "+module, module, nil, filepath.Join(u.tools, "golangci-lint"), "run", "--allow-parallel-runners", "./...")
	}
}

// packages lists the packages of a module, except for the end-to-end tests.
func (u *suite) packages(ctx context.Context, module string) ([]string, error) {
	command := exec.CommandContext(ctx, "go", "list", "./...")
	command.Dir = filepath.Join(u.root, module)
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w", module, err)
	}
	var packages []string
	for path := range strings.FieldsSeq(string(output)) {
		if !slices.ContainsFunc(endToEnd, func(p string) bool { return strings.HasSuffix(path, p) }) {
			packages = append(packages, path)
		}
	}
	return packages, nil
}

func (u *suite) gotestsum(ctx context.Context, module string, env []string, format string, arguments ...string) {
	arguments = append([]string{"-count=1"}, arguments...)
	if module != "test" {
		// The harness runs without the race detector: it only sends requests, and its libraries would be
		// compiled twice.
		arguments = append([]string{"-race"}, arguments...)
	}
	arguments = append([]string{"--format", format, "--format-hide-empty-pkg", "--"}, arguments...)
	name := "test " + module
	if format == "testname" {
		name = "end-to-end"
	}
	u.command(ctx, name, module, env, filepath.Join(u.tools, "gotestsum"), arguments...)
}

// command runs one part of the suite and shows its output as it arrives.
func (u *suite) command(ctx context.Context, name, module string, env []string, program string, arguments ...string) {
	if ctx.Err() != nil {
		return
	}
	began := time.Now()
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = filepath.Join(u.root, module)
	command.Env = append(os.Environ(), env...)
	command.Stdout, command.Stderr = u.out.out, u.out.out
	// On an interrupt the tests can clean up; they are killed if they don't.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	err := command.Run()
	if err != nil {
		u.failed = append(u.failed, name)
		u.out.done(name, time.Since(began), "FAILED")
		return
	}
	u.passed++
	u.out.done(name, time.Since(began), "passed")
}

func (u *suite) verdict(ctx context.Context, began time.Time) error {
	took := time.Since(began).Round(time.Second)
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(u.skipped) > 0 {
		fmt.Fprintf(u.out.out, "\nSkipped, see above: %s\n", strings.Join(u.skipped, ", "))
	}
	if len(u.failed) > 0 {
		fmt.Fprintf(u.out.out, "\nFAILED after %s: %s (%d others passed)\n", took, strings.Join(u.failed, ", "), u.passed)
		return errReported
	}
	fmt.Fprintf(u.out.out, "\nPassed in %s: all %d steps on %d modules (%s)\n", took, u.passed, len(u.modules), strings.Join(u.modules, ", "))
	return nil
}
