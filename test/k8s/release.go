package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/test/k8s/cluster"
)

const (
	frontrowPods = "app.kubernetes.io/part-of=frontrow"
	dataPods     = "app.kubernetes.io/part-of=frontrow-data"
	rolloutTime  = "10m"

	backendsSecret = "data-backends"
)

// install installs both releases into an empty namespace and runs `helm test`.
func (s *suite) install(ctx context.Context) error {
	begin := time.Now()
	if err := s.up(ctx, s.c.Namespace); err != nil {
		return err
	}
	s.figures["install_s"] = time.Since(begin).Seconds()
	return nil
}

// up runs k8s/up with further variables.
func (s *suite) up(ctx context.Context, namespace string, variables ...string) error {
	s.say("from nothing to helm test in the namespace %s", namespace)
	cmd := exec.CommandContext(ctx, "k8s/up")
	cmd.Env = append(append(os.Environ(), "NAMESPACE="+namespace, "VERSION="+s.version), variables...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// services upgrades the release of the services to a version.
func (s *suite) services(ctx context.Context, version string) error {
	_, err := s.c.Helm(ctx, "upgrade", "frontrow", "charts/frontrow", "-f", "charts/frontrow/values-kind.yaml",
		"--set-string", "global.version="+version, "--wait", "--timeout", rolloutTime)
	return err
}

// unchanged upgrades both releases without changes: nothing may restart and no
// secret may change.
func (s *suite) unchanged(ctx context.Context) error {
	before, err := s.state(ctx)
	if err != nil {
		return err
	}
	if _, err := s.c.Helm(ctx, "upgrade", "data", "charts/frontrow-data", "-f", "charts/frontrow-data/values-kind.yaml", "--wait"); err != nil {
		return err
	}
	if err := s.services(ctx, s.version); err != nil {
		return err
	}
	return s.compare(ctx, "helm upgrade with nothing changed", before)
}

// compare checks that pods and secrets are unchanged.
func (s *suite) compare(ctx context.Context, after string, before map[string]string) error {
	now, err := s.state(ctx)
	if err != nil {
		return err
	}
	for _, what := range slices.Sorted(maps.Keys(before)) {
		if before[what] != now[what] {
			s.broken("%s changed %s", after, what)
		}
	}
	if len(before) != len(now) {
		s.broken("%s: %d pods and secrets before, %d after", after, len(before), len(now))
	}
	s.say("%s: %d pods and secrets are as they were", after, len(now))
	return nil
}

// state maps names to the identity of pods and the contents of secrets.
func (s *suite) state(ctx context.Context) (map[string]string, error) {
	state := map[string]string{}
	for _, selector := range []string{frontrowPods, dataPods} {
		pods, err := s.c.Pods(ctx, selector)
		if err != nil {
			return nil, err
		}
		for i := range pods {
			state["pod "+pods[i].Metadata.Name] = fmt.Sprintf("%s, %d restarts", pods[i].Metadata.UID, pods[i].Restarts())
		}
	}
	for _, name := range []string{backendsSecret, "frontrow-keys"} {
		secret, err := s.c.Secret(ctx, name)
		if err != nil {
			return nil, err
		}
		state["secret "+name] = fmt.Sprint(secret)
	}
	return state, nil
}

// misspelt sets a key that does not exist: the error must name it, and nothing
// may change.
func (s *suite) misspelt(ctx context.Context) error {
	_, err := s.c.Helm(ctx, "upgrade", "frontrow", "charts/frontrow", "-f", "charts/frontrow/values-kind.yaml",
		"--set", "booking-service.replicaz=4")
	if err == nil || !strings.Contains(err.Error(), "replicaz") {
		s.broken("booking-service.replicaz=4 was not refused by its name: %v", err)
		return nil
	}
	s.say("a misspelt key is refused: %s", lastLine(err.Error()))
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// neighbour installs everything a second time into another namespace, tests it
// there during a sale of the first, and removes it. It starts and ends outside
// the sale, because the two share the machine's CPU and disk.
func (s *suite) neighbour(ctx context.Context) error {
	other := &cluster.Cluster{Namespace: s.c.Namespace + "-2"}
	if err := s.up(ctx, other.Namespace, "INGRESS=false"); err != nil {
		return err
	}
	ours, err := s.c.Secret(ctx, backendsSecret)
	if err != nil {
		return err
	}
	theirs, err := other.Secret(ctx, backendsSecret)
	if err != nil {
		return err
	}
	if ours["postgres-password"] == theirs["postgres-password"] {
		s.broken("two releases in two namespaces have one password")
	}
	before, err := s.state(ctx)
	if err != nil {
		return err
	}
	_, err = s.sale(ctx, "neighbour", strict, func(ctx context.Context) error {
		_, err := other.Helm(ctx, "test", "frontrow")
		return err
	})
	if err != nil {
		return err
	}
	if err := remove(ctx, other); err != nil {
		return err
	}
	return s.compare(ctx, "a second release, come and gone,", before)
}

// tls installs everything into another namespace, with TLS between the
// services and all backends, tests it there, and removes it.
func (s *suite) tls(ctx context.Context) error {
	other := &cluster.Cluster{Namespace: s.c.Namespace + "-tls"}
	if err := s.up(ctx, other.Namespace, "INGRESS=false", "TLS=1"); err != nil {
		return err
	}
	return remove(ctx, other)
}

func remove(ctx context.Context, other *cluster.Cluster) error {
	for _, release := range []string{"frontrow", "data"} {
		if _, err := other.Helm(ctx, "uninstall", release, "--wait"); err != nil {
			return err
		}
	}
	_, err := cluster.Run(ctx, "", "kubectl", "delete", "namespace", other.Namespace)
	return err
}
