package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// errNoAnswer means that the registry does not answer the question: nothing is known.
var errNoAnswer = errors.New("the npm registry does not answer")

// auditWeb looks for known vulnerabilities in the packages that the web app ships. Without an answer it counts as
// skipped, which the verdict says again.
func (u *suite) auditWeb(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	const name = "audit web"
	began := time.Now()
	// Its exit status says less than its report.
	report, _ := u.npm(ctx, "audit", "--omit=dev", "--json").Output()
	err := npmVerdict(report)
	switch {
	case errors.Is(err, errNoAnswer):
		u.skipped = append(u.skipped, name)
		u.out.done(name, time.Since(began), "skipped: "+err.Error())
	case err != nil:
		u.failed = append(u.failed, name)
		u.out.done(name, time.Since(began), "FAILED: "+err.Error())
	default:
		u.passed++
		u.out.done(name, time.Since(began), "passed")
	}
}

// npmVerdict reads the output of `npm audit --json`.
func npmVerdict(output []byte) error {
	var report struct {
		Version         int                        `json:"auditReportVersion"`
		Vulnerabilities map[string]json.RawMessage // by package
		Message         string
		Error           struct{ Code, Summary string }
	}
	if err := json.Unmarshal(output, &report); err != nil {
		return fmt.Errorf("read npm's report: %w", err)
	}
	switch {
	case len(report.Vulnerabilities) > 0:
		return errors.New("vulnerable packages: " + strings.Join(slices.Sorted(maps.Keys(report.Vulnerabilities)), ", "))
	case report.Version > 0:
		return nil
	case report.Error.Code != "":
		return fmt.Errorf("npm audit: %s: %s", report.Error.Code, report.Error.Summary)
	}
	answer, _, _ := strings.Cut(report.Message, " - ") // without the registry's address
	return fmt.Errorf("%w (%s)", errNoAnswer, answer)
}
