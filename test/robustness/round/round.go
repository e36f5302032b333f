// Package round lets a crowd buy from a running Frontrow, injects faults
// according to a seed, waits for the system to settle, and checks the result.
package round

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/robustness/check"
	"github.com/frontrow-tickets/frontrow/test/robustness/fault"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
	"github.com/frontrow-tickets/frontrow/test/robustness/schedule"
	"github.com/frontrow-tickets/frontrow/test/robustness/traffic"
	"github.com/frontrow-tickets/frontrow/test/system"
)

const (
	// recoverWithin is how long holds may fail after a fault.
	recoverWithin = time.Minute
	// settleWithin is how long holds, payments, refunds and messages may take
	// to end once there are no more faults.
	settleWithin = 2 * time.Minute
	// healWithin limits the healing after the last fault.
	healWithin = 4 * time.Minute
	// rotations is how often the events on sale are replaced in a round.
	rotations = 8
)

// Config configures a round.
type Config struct {
	Name   string
	Seed   uint64
	Length time.Duration
	Buyers int
	System *system.System
	// Injector injects faults into it.
	Injector *fault.Injector
	// Out is the folder for the history and the visualizations.
	Out string
	// Say prints a progress line.
	Say func(format string, arguments ...any)
}

// Result is the outcome of a round.
type Result struct {
	Name     string          `json:"name"`
	Seed     uint64          `json:"seed"`
	Length   time.Duration   `json:"length"`
	Buyers   int             `json:"buyers"`
	Faults   []Strike        `json:"faults"`
	Verdicts []check.Verdict `json:"verdicts"`
	Series   []Second        `json:"series"`
	Outages  []check.Outage  `json:"outages"`
	Counts   Counts          `json:"counts"`
	// Cases counts the rare cases in the replicas.
	Cases map[string]float64 `json:"cases"`
	// DoubleSold counts seats; the ledger's difference is in minor units.
	DoubleSold       int   `json:"double_sold"`
	LedgerDifference int64 `json:"ledger_difference"`
	// Settled is how long settling took after the crowd had left.
	Settled time.Duration `json:"settled"`
	Events  int           `json:"events"`
	// SaleBegan is when the crowd started buying, in nanoseconds since the
	// round began.
	SaleBegan int64 `json:"sale_began"`
	// Folder has the round's history and visualizations, relative to the
	// report.
	Folder string `json:"folder"`
}

// Strike is a fault as it was injected.
type Strike struct {
	Fault fault.Fault `json:"fault"`
	// Start and End are in nanoseconds since the round began; End is when the
	// cause was removed, Healed when the injector had restored everything.
	Start  int64 `json:"start"`
	End    int64 `json:"end"`
	Healed int64 `json:"healed"`
	// Recovery is the time from End, or from the end of overlapping faults,
	// until holds succeeded again through every gateway.
	Recovery time.Duration `json:"recovery"`
	// Gap is the longest time without a successful hold at the worst gateway,
	// from the start of the fault to the recovery.
	Gap       time.Duration `json:"gap"`
	Recovered bool          `json:"recovered"`
	Error     string        `json:"error,omitempty"`
}

// Took returns the time from the start of the fault until everything was
// restored.
func (s Strike) Took() time.Duration { return time.Duration(s.Healed - s.Start) }

// Violations counts violations and undecided checks.
func (r *Result) Violations() int {
	n := 0
	for i := range r.Verdicts {
		n += len(r.Verdicts[i].Violations) + r.Verdicts[i].Undecided
	}
	return n
}

// RecoveryMax returns the longest recovery.
func (r *Result) RecoveryMax() time.Duration {
	var most time.Duration
	for _, s := range r.Faults {
		most = max(most, s.Recovery)
	}
	return most
}

// Run runs a round. An error means that the round could not be run; violations
// are in the result.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := os.MkdirAll(cfg.Out, 0o750); err != nil {
		return nil, err
	}
	plan := schedule.New(cfg.Seed, cfg.Injector.Catalogue(), cfg.Length)
	cfg.Say("%s: seed %d, %s, %d buyers; the plan:", cfg.Name, cfg.Seed, cfg.Length, cfg.Buyers)
	for _, in := range plan.Injections {
		cfg.Say("    %s", in)
	}
	gateways, err := gateways(cfg.System)
	if err != nil {
		return nil, err
	}
	recorder := history.NewRecorder()
	world, err := traffic.New(ctx, traffic.Config{
		Gateways: gateways, AdminEmail: cfg.System.AdminEmail, AdminPassword: cfg.System.AdminPassword,
		Buyers: cfg.Buyers, Seed: cfg.Seed, Rotate: max(15*time.Second, cfg.Length/rotations), Recorder: recorder,
	})
	if err != nil {
		return nil, fmt.Errorf("create crowd: %w", err)
	}
	w, err := newWatch(ctx, cfg.System, recorder)
	if err != nil {
		return nil, err
	}
	result := &Result{
		Name: cfg.Name, Seed: cfg.Seed, Length: cfg.Length, Buyers: cfg.Buyers, SaleBegan: recorder.Now(), Folder: filepath.Base(cfg.Out),
	}
	crowd, leave := context.WithCancel(ctx)
	left := make(chan struct{})
	go func() {
		defer close(left)
		world.Run(crowd)
	}()
	watching, stopWatch := context.WithCancel(ctx)
	w.start(watching)
	cfg.Say("%d people are in; the sale is on", cfg.Buyers)

	strikes := &strikes{cfg: &cfg, recorder: recorder, gateways: len(gateways)}
	err = strikes.carryOut(ctx, plan)
	leave()
	<-left
	cfg.Say("the crowd has left")
	result.Faults = strikes.list
	evidence := &check.Evidence{
		Recorder: recorder, Sales: world.Sales(), Users: world.Users(), Views: world.Views(), Pictures: cfg.Out,
		Books: map[string]*audit.Books{},
	}
	if err == nil {
		begun := recorder.Now()
		err = settle(ctx, &cfg, evidence, world)
		result.Settled = time.Duration(recorder.Now() - begun)
	}
	stopWatch()
	w.stop()
	if writeErr := recorder.Write(filepath.Join(cfg.Out, "history.jsonl")); err == nil {
		err = writeErr
	}
	if err != nil {
		return result, err
	}
	evidence.Outages, evidence.Oversold, evidence.Gateways = w.outages(), w.oversold(), w.admin[check.NoGateway]
	result.Cases = w.cases.total()
	result.Outages, result.Events = evidence.Outages, len(evidence.Sales)
	cfg.Say("judging %d calls", len(recorder.Calls()))
	result.Verdicts = append(check.All(evidence), strikes.verdict())
	result.DoubleSold, result.LedgerDifference = check.DoubleSold(evidence), check.Difference(evidence)
	result.Counts, result.Series = count(recorder.Calls()), series(recorder.Calls(), result.SaleBegan)
	return result, nil
}

// settle waits until everything has ended, then lets all buyers read their
// bookings, and reads the stores.
func settle(ctx context.Context, cfg *Config, e *check.Evidence, world *traffic.World) error {
	auditor, err := audit.Open(ctx, cfg.System)
	if err != nil {
		return err
	}
	defer auditor.Close(ctx)
	began := time.Now()
	said := ""
	for {
		e.Open, err = open(ctx, auditor, e)
		if err != nil {
			return err
		}
		if len(e.Open) == 0 {
			cfg.Say("settled after %.0f s", time.Since(began).Seconds())
			break
		}
		if time.Since(began) > settleWithin {
			cfg.Say("NOT settled after %s: %s", settleWithin, e.Open[0])
			break
		}
		if line := fmt.Sprintf("settling: %d things are open, such as: %s", len(e.Open), e.Open[0]); line != said {
			cfg.Say("%s", line)
			said = line
		}
		if !clock.Sleep(ctx, 2*time.Second) {
			return ctx.Err()
		}
	}
	if err := world.ReadAll(ctx); err != nil {
		return err
	}
	// Open work may have ended since, so the stores are read after the buyers.
	return read(ctx, auditor, e)
}

func read(ctx context.Context, auditor *audit.Auditor, e *check.Evidence) error {
	for _, sale := range e.Sales {
		books, err := auditor.Books(ctx, sale.ID)
		if err != nil {
			return err
		}
		e.Books[sale.ID] = books
	}
	return nil
}

// open describes what has not yet ended.
func open(ctx context.Context, auditor *audit.Auditor, e *check.Evidence) ([]string, error) {
	if err := read(ctx, auditor, e); err != nil {
		return nil, err
	}
	list := check.Unsettled(e)
	waiting, err := auditor.Waiting(ctx)
	if waiting > 0 {
		list = append(list, fmt.Sprintf("%d messages, webhooks and refunds of payment-service are waiting", waiting))
	}
	return list, err
}
