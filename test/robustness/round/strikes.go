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

// strikes carries out a plan and records what happened.
type strikes struct {
	cfg      *Config
	recorder *history.Recorder
	gateways int

	mu   sync.Mutex
	list []Strike
}

// carryOut injects the faults as planned, heals everything and waits until
// holds succeed again. Its error is ctx's, or that the system can't be healed.
func (s *strikes) carryOut(ctx context.Context, plan schedule.Plan) error {
	began := time.Now()
	var group sync.WaitGroup
	for i, in := range plan.Injections {
		s.list = append(s.list, Strike{Fault: in.Fault})
		group.Go(func() {
			if clock.Sleep(ctx, time.Until(began.Add(in.At))) {
				s.strike(ctx, i)
			}
		})
	}
	clock.Sleep(ctx, time.Until(began.Add(s.cfg.Length)))
	group.Wait()
	// Heal the system even after an interrupt.
	s.cfg.Say("faults over, checking that everything is up")
	if err := errors.Join(ctx.Err(), s.heal(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	s.cfg.Say("everything is up; waiting until holds succeed")
	return s.awaitRecovery(ctx)
}

// heal retries: a process may exit just when it is resumed.
func (s *strikes) heal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healWithin)
	defer cancel()
	for {
		err := s.cfg.Injector.Heal(ctx)
		if err == nil || !clock.Sleep(ctx, time.Second) {
			return err
		}
	}
}

func (s *strikes) strike(ctx context.Context, i int) {
	f := s.list[i].Fault
	start := s.recorder.Now()
	s.set(i, func(k *Strike) { k.Start, k.End = start, start+f.Duration.Nanoseconds() })
	if f.Duration > 0 {
		s.cfg.Say("FAULT   %s, for %.1f s", f, f.Duration.Seconds())
	} else {
		s.cfg.Say("FAULT   %s", f)
	}
	err := s.cfg.Injector.Run(ctx, f)
	healed := s.recorder.Now()
	s.set(i, func(k *Strike) {
		k.Healed = healed
		k.End = min(k.End, healed)
		if err != nil {
			k.Error = err.Error()
		}
	})
	if err != nil {
		s.cfg.Say("FAILED  %v", err)
		return
	}
	s.cfg.Say("healed  %s, %.1f s after it began", f, time.Duration(healed-start).Seconds())
}

func (s *strikes) set(i int, change func(*Strike)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.list[i])
}

// awaitRecovery waits until the system has recovered from the last fault.
func (s *strikes) awaitRecovery(ctx context.Context) error {
	deadline := time.Now().Add(recoverWithin)
	for {
		if s.measure() || time.Now().After(deadline) {
			return nil
		}
		if !clock.Sleep(ctx, time.Second) {
			return ctx.Err()
		}
	}
}

// measure finds each fault's recovery in the probes' holds. It reports whether
// all faults have been recovered from.
func (s *strikes) measure() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var probes []history.Call
	for _, c := range s.recorder.Calls() {
		if c.Probe && c.Outcome == history.Done {
			probes = append(probes, c)
		}
	}
	now := s.recorder.Now()
	all := true
	for i := range s.list {
		k := &s.list[i]
		from := k.End
		for changed := true; changed; {
			changed = false
			for _, other := range s.list {
				// For overlapping faults, recovery can be expected only when
				// the last cause is gone.
				if other.Start <= from && other.End > from {
					from, changed = other.End, true
				}
			}
		}
		k.Recovered, k.Recovery, k.Gap = true, 0, 0
		for gateway := range s.gateways {
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
func (s *strikes) verdict() check.Verdict {
	v := check.Verdict{ID: "recovery", Title: "After every fault holds succeed again through every gateway", Of: "faults", Checked: len(s.list)}
	for _, k := range s.list {
		switch {
		case k.Error != "":
			v.Violations = append(v.Violations, check.Violation{What: "a fault went wrong: " + k.Error})
		case !k.Recovered:
			v.Violations = append(v.Violations, check.Violation{What: "no recovery from " + k.Fault.String() + " within " + recoverWithin.String()})
		}
	}
	return v
}
