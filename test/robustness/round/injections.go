package round

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/robustness/check"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
	"github.com/frontrow-tickets/frontrow/test/robustness/schedule"
)

// faultRun carries out a plan and records what happened.
type faultRun struct {
	cfg      *Config
	recorder *history.Recorder
	gateways int

	mu   sync.Mutex
	list []Injection
}

// run injects the faults as planned, heals everything and waits until
// holds succeed again. Its error is ctx's, or that the system can't be healed.
func (r *faultRun) run(ctx context.Context, plan schedule.Plan) error {
	began := time.Now()
	var group sync.WaitGroup
	for i, in := range plan.Injections {
		r.list = append(r.list, Injection{Fault: in.Fault})
		group.Go(func() {
			if clock.Sleep(ctx, time.Until(began.Add(in.At))) {
				r.inject(ctx, i)
			}
		})
	}
	clock.Sleep(ctx, time.Until(began.Add(r.cfg.Length)))
	group.Wait()
	// Heal the system even after an interrupt.
	r.cfg.Progress("faults over, checking that everything is up")
	if err := errors.Join(ctx.Err(), r.heal(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	r.cfg.Progress("everything is up; waiting until holds succeed")
	return r.awaitRecovery(ctx)
}

// heal retries: a process may exit just when it is resumed.
func (r *faultRun) heal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healTimeout)
	defer cancel()
	for {
		err := r.cfg.Injector.Heal(ctx)
		if err == nil || !clock.Sleep(ctx, time.Second) {
			return err
		}
	}
}

func (r *faultRun) inject(ctx context.Context, i int) {
	f := r.list[i].Fault
	start := r.recorder.Now()
	r.update(i, func(k *Injection) { k.Start, k.End = start, start+f.Duration.Nanoseconds() })
	if f.Duration > 0 {
		r.cfg.Progress("FAULT   %s, for %.1f s", f, f.Duration.Seconds())
	} else {
		r.cfg.Progress("FAULT   %s", f)
	}
	err := r.cfg.Injector.Run(ctx, f)
	healed := r.recorder.Now()
	r.update(i, func(k *Injection) {
		k.Healed = healed
		k.End = min(k.End, healed)
		if err != nil {
			k.Error = err.Error()
		}
	})
	if err != nil {
		r.cfg.Progress("FAILED  %v", err)
		return
	}
	r.cfg.Progress("healed  %s, %.1f s after it began", f, time.Duration(healed-start).Seconds())
}

func (r *faultRun) update(i int, change func(*Injection)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.list[i])
}

// awaitRecovery waits until the system has recovered from the last fault.
func (r *faultRun) awaitRecovery(ctx context.Context) error {
	deadline := time.Now().Add(recoveryTimeout)
	for {
		if r.measureRecovery() || time.Now().After(deadline) {
			return nil
		}
		if !clock.Sleep(ctx, time.Second) {
			return ctx.Err()
		}
	}
}

// measureRecovery finds each fault's recovery in the probes' holds. It reports whether
// all faults have been recovered from.
func (r *faultRun) measureRecovery() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	var probes []history.Call
	for _, c := range r.recorder.Calls() {
		if c.Probe && c.Outcome == history.Done {
			probes = append(probes, c)
		}
	}
	now := r.recorder.Now()
	all := true
	for i := range r.list {
		k := &r.list[i]
		from := k.End
		for changed := true; changed; {
			changed = false
			for _, other := range r.list {
				// For overlapping faults, recovery can be expected only when
				// the last cause is gone.
				if other.Start <= from && other.End > from {
					from, changed = other.End, true
				}
			}
		}
		k.Recovered, k.Recovery, k.Gap = true, 0, 0
		for gateway := range r.gateways {
			recovered, gap := recovery(probes, gateway, k.Start, from, now)
			k.Gap = max(k.Gap, time.Duration(gap))
			if recovered < 0 {
				k.Recovered, all = false, false
				recovered = now - from
			}
			k.Recovery = max(k.Recovery, time.Duration(recovered))
		}
	}
	return all
}

// recovery returns how long after from a hold that began after from succeeded
// through a gateway, negative if none has, and the longest time without one
// from start until then.
func recovery(probes []history.Call, gateway int, start, from, now int64) (recovered, gap int64) {
	last := start
	for _, p := range probes {
		if p.Gateway != gateway || p.End < start {
			continue
		}
		gap = max(gap, p.End-last)
		last = p.End
		if p.Start >= from {
			return p.End - from, gap
		}
	}
	return -1, max(gap, now-last)
}

// verdict checks that holds succeed again after each fault, and that every
// fault could be injected.
func (r *faultRun) verdict() check.Verdict {
	v := check.Verdict{ID: "recovery", Title: "After every fault holds succeed again through every gateway", Of: "faults", Checked: len(r.list)}
	for _, k := range r.list {
		switch {
		case k.Error != "":
			v.Violations = append(v.Violations, check.Violation{What: "injecting a fault failed: " + k.Error})
		case !k.Recovered:
			v.Violations = append(v.Violations, check.Violation{What: "no recovery from " + k.Fault.String() + " within " + recoveryTimeout.String()})
		}
	}
	return v
}
