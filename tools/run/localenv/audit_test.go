package main

import (
	"errors"
	"strings"
	"testing"
)

func TestNPMVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		output, says string // says is empty if the audit passes
		skipped      bool
	}{
		"nothing known": {output: `{"auditReportVersion": 2, "vulnerabilities": {}}`},
		"vulnerable": {
			output: `{"auditReportVersion": 2, "vulnerabilities": {"svelte": {"severity": "high"}, "jsqr": {"severity": "low"}}}`,
			says:   "vulnerable packages: jsqr, svelte",
		},
		"no audit endpoint": {
			output: `{"message": "405 Method Not Allowed - POST https://registry.example/", "error": {"summary": "", "detail": ""}}`,
			says:   "the npm registry does not answer (405 Method Not Allowed)", skipped: true,
		},
		"no network": {
			output: `{"message": "request to https://registry.example/ failed, reason: ENOTFOUND", "error": {"summary": "", "detail": ""}}`,
			says:   "does not answer (request to", skipped: true,
		},
		"no lock file": {
			output: `{"error": {"code": "ENOLOCK", "summary": "This command requires an existing lockfile."}}`,
			says:   "ENOLOCK",
		},
		"no report": {says: "read npm's report"},
	} {
		t.Run(name, func(t *testing.T) {
			err := npmVerdict([]byte(c.output))
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if errors.Is(err, errNoAnswer) != c.skipped {
				t.Errorf("skipped: %t, want %t", !c.skipped, c.skipped)
			}
		})
	}
}
