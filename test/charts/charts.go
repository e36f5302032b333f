// Package charts renders the charts with Helm, without a cluster.
package charts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// kubeVersion is the version of the cluster on which the charts are tested.
const kubeVersion = "1.34.3"

// Profile is a chart with values that somebody installs it with.
type Profile struct {
	Name, Chart, Release string
	// Values names the chart's files values-<name>.yaml, in order.
	Values []string
	// Sets are arguments of --set.
	Sets []string
}

// Profiles are all the ways in which this repository installs the charts.
var Profiles = []Profile{
	{Name: "frontrow", Chart: "frontrow", Release: "frontrow", Sets: []string{
		"global.mail.smtpSecret=frontrow-mail", "global.mail.publicUrl=https://tickets.example",
	}},
	{Name: "frontrow-without-mail", Chart: "frontrow", Release: "frontrow", Sets: []string{"global.accounts.requireVerified=false"}},
	{Name: "frontrow-kind", Chart: "frontrow", Release: "frontrow", Values: []string{"kind"}},
	{Name: "frontrow-operators", Chart: "frontrow", Release: "frontrow", Values: []string{"kind", "operators"}},
	{Name: "frontrow-tls", Chart: "frontrow", Release: "frontrow", Values: []string{"kind", "tls"}},
	{Name: "frontrow-tilt", Chart: "frontrow", Release: "frontrow", Values: []string{"kind", "tilt"}},
	{Name: "frontrow-production", Chart: "frontrow", Release: "frontrow", Values: []string{"production"}},
	{Name: "frontrow-http-route", Chart: "frontrow", Release: "frontrow", Sets: []string{
		"httpRoute.enabled=true", "httpRoute.parentRefs[0].name=public", "api-gateway.trustedProxies[0]=10.0.0.0/16",
		"global.accounts.requireVerified=false",
	}},
	{Name: "data", Chart: "frontrow-data", Release: "data"},
	{Name: "data-kind", Chart: "frontrow-data", Release: "data", Values: []string{"kind"}},
	{Name: "data-operators", Chart: "frontrow-data", Release: "data", Values: []string{"kind", "operators"}},
	{Name: "data-tls", Chart: "frontrow-data", Release: "data", Values: []string{"kind", "tls"}},
	{Name: "data-cert-manager", Chart: "frontrow-data", Release: "data", Sets: []string{
		"tls.mode=certManager", "tls.issuer.name=backends",
	}},
	{Name: "data-tilt", Chart: "frontrow-data", Release: "data", Values: []string{"kind", "tilt"}},
	{Name: "data-production", Chart: "frontrow-data", Release: "data", Values: []string{"production"}},
}

// Charts is a copy of the charts in which each has its dependencies.
type Charts struct{ dir string }

// Prepare copies the charts of the checkout at root.
func Prepare(ctx context.Context, root string) (*Charts, error) {
	dir, err := os.MkdirTemp("", "charts")
	if err != nil {
		return nil, err
	}
	c := &Charts{dir}
	if err := c.build(ctx, root); err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

func (c *Charts) build(ctx context.Context, root string) error {
	if err := os.CopyFS(c.dir, os.DirFS(filepath.Join(root, "charts"))); err != nil {
		return err
	}
	for _, chart := range []string{
		"api-gateway", "auth-service", "event-service", "booking-service", "payment-service", "notification-service", "psp-simulator",
		"frontrow",
	} {
		if _, err := helm(ctx, "dependency", "build", filepath.Join(c.dir, chart)); err != nil {
			return err
		}
	}
	return nil
}

// Remove removes the copy.
func (c *Charts) Remove() error { return os.RemoveAll(c.dir) }

// Render returns what Helm makes of a profile. Its error says why the schema
// or a guard of the chart refuses the values.
func (c *Charts) Render(ctx context.Context, p Profile) (string, error) {
	chart := filepath.Join(c.dir, p.Chart)
	args := []string{"template", p.Release, chart, "--namespace", "frontrow", "--kube-version", kubeVersion}
	for _, v := range p.Values {
		args = append(args, "--values", filepath.Join(chart, "values-"+v+".yaml"))
	}
	for _, s := range p.Sets {
		args = append(args, "--set", s)
	}
	return helm(ctx, args...)
}

// helm runs FRONTROW_HELM, or the helm on PATH.
func helm(ctx context.Context, args ...string) (string, error) {
	program := os.Getenv("FRONTROW_HELM")
	if program == "" {
		program = "helm"
	}
	var out, says bytes.Buffer
	command := exec.CommandContext(ctx, program, args...) //nolint:gosec // our own list
	command.Stdout, command.Stderr = &out, &says
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("helm %s: %w: %s", args[0], err, strings.TrimSpace(says.String()))
	}
	return out.String(), nil
}
