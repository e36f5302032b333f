// Command k8s installs Frontrow into the cluster in KUBECONFIG, and upgrades,
// rolls back, scales and kills it while tickets are sold through the ingress.
// It exits with status 1 if a seat was sold twice, a cent is not where it
// belongs, or a buyer noticed something that must go unnoticed. `make k8s-test`
// runs it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/frontrow-tickets/frontrow/test/k8s/cluster"
)

const folder = ".run/k8s"

func main() {
	s := &suite{c: &cluster.Cluster{Namespace: "frontrow"}, began: time.Now(), figures: map[string]float64{}}
	flag.StringVar(&s.url, "url", "", "of the ingress, in 127.0.0.0/8: http://127.0.0.1:8080")
	flag.StringVar(&s.version, "version", "", "of the images to begin with")
	flag.StringVar(&s.next, "next", "", "of the images to upgrade to")
	flag.IntVar(&s.rate, "rate", 15, "buyers a second during the sales")
	only := flag.String("only", "", "comma-separated parts, instead of all")
	flag.Parse()
	if s.url == "" || s.version == "" || s.next == "" {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := s.run(ctx, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: "+err.Error())
		os.Exit(1)
	}
}

// suite holds the test's settings and results.
type suite struct {
	c                  *cluster.Cluster
	url, version, next string
	rate               int
	began              time.Time
	figures            map[string]float64
	problems           []error
}

type part struct {
	name string
	run  func(*suite, context.Context) error
}

var parts = []part{
	{"install", (*suite).install},
	{"dry-run", (*suite).dryRun},
	{"demo", (*suite).demo},
	{"unchanged", (*suite).unchanged},
	{"misspelt", (*suite).misspelt},
	{"upgrade", (*suite).upgrade},
	{"rollback", (*suite).rollback},
	{"scale", (*suite).scale},
	{"kill", (*suite).kill},
	{"crash", (*suite).crash},
	{"backends", (*suite).backends},
	{"neighbour", (*suite).neighbour},
	{"tls", (*suite).tls},
}

func (s *suite) run(ctx context.Context, only string) error {
	if err := cluster.Require("kubectl", "helm"); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	chosen := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	for _, name := range chosen {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("unknown part %q", name)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer s.c.Wait()
	defer cancel()
	for _, p := range parts {
		if len(chosen) > 0 && !slices.Contains(chosen, p.name) {
			continue
		}
		if err := p.run(s, ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	text, err := json.MarshalIndent(s.figures, "", "  ")
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	if err := os.WriteFile(filepath.Join(folder, "figures.json"), append(text, '\n'), 0o600); err != nil {
		return err
	}
	return errors.Join(s.problems...)
}

// say prints a line with the seconds since the start.
func (s *suite) say(format string, arguments ...any) {
	fmt.Printf("%5.0f s  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, arguments...))
}

// broken records a violation; the suite continues.
func (s *suite) broken(format string, arguments ...any) {
	err := fmt.Errorf(format, arguments...)
	s.problems = append(s.problems, err)
	s.say("BROKEN: %s", err)
}
