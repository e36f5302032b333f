package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/k8s/cluster"
)

// saleSeconds limits a sale; it ends earlier when its test has ended.
const saleSeconds = 900

// demo runs `make demo` through the ingress.
func (s *suite) demo(ctx context.Context) error {
	s.say("make demo through %s", s.url)
	environment, forget, err := s.stores(ctx)
	if err != nil {
		return err
	}
	defer forget()
	begin := time.Now()
	cmd := exec.CommandContext(ctx, "make", "demo")
	cmd.Env, cmd.Stdout, cmd.Stderr = environment, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	s.figures["demo_s"] = time.Since(begin).Seconds()
	return nil
}

// stores forwards the ports of the stores until forget is called, and returns
// the environment with their addresses. The next call may find another Redis
// primary.
func (s *suite) stores(ctx context.Context) (environment []string, forget func(), err error) {
	ctx, forget = context.WithCancel(ctx)
	more, err := s.c.Environment(ctx, backendsSecret, s.url)
	if err != nil {
		forget()
		return nil, nil, err
	}
	return append(os.Environ(), more...), forget, nil
}

// strictness says whether requests of a sale may fail.
type strictness bool

const (
	// strict: no request may fail.
	strict strictness = true
	// counted: failures are counted; sold seats and payments must be correct
	// anyway.
	counted strictness = false
)

// result is the output of test/load for a sale.
type result struct {
	Requests         int            `json:"requests"`
	Failed           int            `json:"failed"`
	Held             int            `json:"held"`
	Paid             int            `json:"paid"`
	Confirmed        int            `json:"confirmed"`
	ByStatus         map[string]int `json:"by_status"`
	Begin            time.Time      `json:"begin"`
	PerSecond        []int          `json:"holds_per_second"`
	P50              float64        `json:"hold_p50_ms"`
	P99              float64        `json:"hold_p99_ms"`
	SoldTwice        int            `json:"sold_twice"`
	LedgerDifference int64          `json:"ledger_difference"`
}

// sale sells tickets while work runs, and for some seconds more.
func (s *suite) sale(ctx context.Context, name string, rule strictness, work func(context.Context) error) (*result, error) {
	environment, forget, err := s.stores(ctx)
	if err != nil {
		return nil, err
	}
	defer forget()
	file := filepath.Join(folder, name+".json")
	// The file of an earlier run.
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, ".run/bin/load", "-only", "sale", "-rate", strconv.Itoa(s.rate), //nolint:gosec // its own flags
		"-seconds", strconv.Itoa(saleSeconds), "-result", file)
	cmd.Env, cmd.Stderr = environment, os.Stderr
	// The load test would otherwise wait until everything is settled.
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	selling, ended := make(chan struct{}), make(chan struct{})
	last := ""
	go func() {
		defer close(ended)
		begun := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			last = strings.TrimSpace(lines.Text())
			if !begun && strings.Contains(last, " holds made, ") {
				begun = true
				close(selling)
			}
		}
	}()
	select {
	case <-selling:
		s.say("%s: the sale is on", name)
		watch := s.c.WatchProcessors(ctx)
		err = work(ctx)
		s.say("%s: cores in use: %s", name, watch.Stop())
	case <-ended:
	}
	if err == nil {
		// Include what happens right after the work.
		clock.Sleep(ctx, 5*time.Second)
		err = ctx.Err()
	}
	// It may have exited on its own.
	_ = cmd.Process.Signal(syscall.SIGINT)
	<-ended
	if failed := cmd.Wait(); err == nil && failed != nil {
		s.broken("%s: the sale: %s", name, failed)
	}
	s.say("%s: %s", name, last)
	if err != nil {
		return nil, err
	}
	r := &result{}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, err
	}
	s.keep(name, r)
	if rule == strict && r.Failed > 0 {
		s.broken("%s: %d of %d requests failed; by status: %v", name, r.Failed, r.Requests, r.ByStatus)
	}
	return r, nil
}

func (s *suite) keep(name string, r *result) {
	for figure, value := range map[string]float64{
		"requests": float64(r.Requests), "failed": float64(r.Failed), "held": float64(r.Held), "confirmed": float64(r.Confirmed),
		"sold_twice": float64(r.SoldTwice), "ledger_difference": float64(r.LedgerDifference), "hold_p99_ms": r.P99,
	} {
		s.figures[name+"_"+figure] = value
	}
}

// gap returns the longest run of seconds without a hold between two times.
func (r *result) gap(from, to time.Time) time.Duration {
	longest, now := 0, 0
	for second := max(0, int(from.Sub(r.Begin).Seconds())); second < len(r.PerSecond) && second <= int(to.Sub(r.Begin).Seconds()); second++ {
		if now++; r.PerSecond[second] > 0 {
			now = 0
		}
		longest = max(longest, now)
	}
	return time.Duration(longest) * time.Second
}

// upgrade upgrades every service to a new version.
func (s *suite) upgrade(ctx context.Context) error {
	_, err := s.sale(ctx, "upgrade", strict, func(ctx context.Context) error { return s.services(ctx, s.next) })
	return err
}

// rollback returns to the previous version.
func (s *suite) rollback(ctx context.Context) error {
	_, err := s.sale(ctx, "rollback", strict, func(ctx context.Context) error {
		_, err := s.c.Helm(ctx, "rollback", "frontrow", "--wait", "--timeout", rolloutTime)
		return err
	})
	return err
}

// scale scales booking-service from 3 replicas to 5, to 2 and back.
func (s *suite) scale(ctx context.Context) error {
	_, err := s.sale(ctx, "scale", strict, func(ctx context.Context) error {
		for _, replicas := range []int{5, 2, 3} {
			if _, err := s.c.Kubectl(ctx, "scale", "deployment/frontrow-booking-service", fmt.Sprintf("--replicas=%d", replicas)); err != nil {
				return err
			}
			err := cluster.Until(ctx, 3*time.Minute, fmt.Sprintf("%d replicas of booking-service", replicas), func(ctx context.Context) (bool, error) {
				pods, err := s.c.Pods(ctx, "app.kubernetes.io/name=booking-service")
				return len(pods) == replicas && allReady(pods), err
			})
			if err != nil {
				return err
			}
			s.say("scale: booking-service has %d replicas", replicas)
			if _, err := s.c.Kubectl(ctx, "rollout", "status", "deployment/frontrow-booking-service", "--timeout", rolloutTime); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// kill deletes each of our pods in turn, as when a machine is drained.
func (s *suite) kill(ctx context.Context) error {
	_, err := s.sale(ctx, "kill", strict, func(ctx context.Context) error {
		return s.each(ctx, frontrowPods, func(pod string) error {
			_, err := s.c.Kubectl(ctx, "delete", "pod", pod)
			return err
		})
	})
	return err
}

// noGrace is one second until SIGKILL: with less, a pod's successor could start
// on its volume while the pod still runs.
const noGrace = "--grace-period=1"

// crash kills each of our pods in turn with no time to drain. Clients it was
// answering may notice.
func (s *suite) crash(ctx context.Context) error {
	_, err := s.sale(ctx, "crash", counted, func(ctx context.Context) error {
		return s.each(ctx, frontrowPods, func(pod string) error {
			_, err := s.c.Kubectl(ctx, "delete", "pod", pod, noGrace)
			return err
		})
	})
	return err
}

// each runs do for each pod matching a selector, and waits after each until all
// are ready again.
func (s *suite) each(ctx context.Context, selector string, do func(pod string) error) error {
	pods, err := s.c.Pods(ctx, selector)
	if err != nil {
		return err
	}
	for i := range pods {
		if err := do(pods[i].Metadata.Name); err != nil {
			return err
		}
		err := cluster.Until(ctx, 5*time.Minute, "pods after "+pods[i].Metadata.Name, func(ctx context.Context) (bool, error) {
			now, err := s.c.Pods(ctx, selector)
			return len(now) == len(pods) && allReady(now), err
		})
		if err != nil {
			return err
		}
		// A replica counts only some seconds after it is ready
		// (minReadySeconds): the gateway must discover it.
		if service := pods[i].Metadata.Labels["app.kubernetes.io/name"]; selector == frontrowPods {
			if _, err := s.c.Kubectl(ctx, "rollout", "status", "deployment/frontrow-"+service, "--timeout", rolloutTime); err != nil {
				return err
			}
		}
		s.say("  %s is dead and replaced", pods[i].Metadata.Name)
	}
	return nil
}

// backends kills each pod of the backends in turn, with no time for a clean
// shutdown.
func (s *suite) backends(ctx context.Context) error {
	type death struct {
		pod  string
		when time.Time
	}
	var deaths []death
	r, err := s.sale(ctx, "backends", counted, func(ctx context.Context) error {
		return s.each(ctx, dataPods, func(pod string) error {
			deaths = append(deaths, death{pod, time.Now()})
			_, err := s.c.Kubectl(ctx, "delete", "pod", pod, noGrace)
			return err
		})
	})
	if err != nil {
		return err
	}
	for i, d := range deaths {
		until := time.Now()
		if i+1 < len(deaths) {
			until = deaths[i+1].when
		}
		gap := r.gap(d.when, until)
		s.say("backends: %-24s nobody could hold a seat for %2.0f s", d.pod, gap.Seconds())
		s.figures["backends_gap_"+d.pod+"_s"] = gap.Seconds()
	}
	return nil
}

func allReady(pods []cluster.Pod) bool {
	for i := range pods {
		if !pods[i].Ready() {
			return false
		}
	}
	return true
}
