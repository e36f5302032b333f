// Package round runs one round: buyers buy from a running Frontrow while faults
// are injected according to a seed; then the system settles and the result is
// checked.
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
	// recoveryTimeout is how long holds may fail after a fault.
	recoveryTimeout = time.Minute
	// settleTimeout is how long holds, payments, refunds and messages may take
	// to end once there are no more faults.
	settleTimeout = 2 * time.Minute
	// healTimeout limits the healing after the last fault.
	healTimeout = 4 * time.Minute
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
	// Progress prints a progress line.
	Progress func(format string, arguments ...any)
}

// Result is the outcome of a round.
type Result struct {
	Name     string          `json:"name"`
	Seed     uint64          `json:"seed"`
	Length   time.Duration   `json:"length"`
	Buyers   int             `json:"buyers"`
	Faults   []Injection     `json:"faults"`
	Verdicts []check.Verdict `json:"verdicts"`
	Series   []Second        `json:"series"`
	Outages  []check.Outage  `json:"outages"`
	Counts   Counts          `json:"counts"`
	// Cases counts the rare cases in the replicas.
	Cases map[string]float64 `json:"cases"`
	// DoubleSold counts seats; the ledger's difference is in minor units.
	DoubleSold       int   `json:"double_sold"`
	LedgerDifference int64 `json:"ledger_difference"`
	// Settled is how long settling took after the buyers had stopped.
	Settled time.Duration `json:"settled"`
	Events  int           `json:"events"`
	// SaleBegan is when the buyers started, in nanoseconds since the round
	// began.
	SaleBegan int64 `json:"sale_began"`
	// Folder has the round's history and visualizations, relative to the
	// report.
	Folder string `json:"folder"`
}

// Injection is a fault as it was injected.
type Injection struct {
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
func (s Injection) Took() time.Duration { return time.Duration(s.Healed - s.Start) }

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
	cfg.Progress("%s: seed %d, %s, %d buyers; the plan:", cfg.Name, cfg.Seed, cfg.Length, cfg.Buyers)
	for _, in := range plan.Injections {
		cfg.Progress("    %s", in)
	}
	gateways, err := gateways(cfg.System)
	if err != nil {
		return nil, err
	}
	recorder := history.NewRecorder()
	sim, err := traffic.New(ctx, traffic.Config{
		Gateways: gateways, AdminEmail: cfg.System.AdminEmail, AdminPassword: cfg.System.AdminPassword,
		Buyers: cfg.Buyers, Seed: cfg.Seed, Rotate: max(15*time.Second, cfg.Length/rotations), Recorder: recorder,
	})
	if err != nil {
		return nil, fmt.Errorf("create traffic: %w", err)
	}
	m, err := newMonitor(ctx, cfg.System, recorder)
	if err != nil {
		return nil, err
	}
	result := &Result{
		Name: cfg.Name, Seed: cfg.Seed, Length: cfg.Length, Buyers: cfg.Buyers, SaleBegan: recorder.Now(), Folder: filepath.Base(cfg.Out),
	}
	trafficCtx, stopTraffic := context.WithCancel(ctx)
	trafficDone := make(chan struct{})
	go func() {
		defer close(trafficDone)
		sim.Run(trafficCtx)
	}()
	watching, stopWatch := context.WithCancel(ctx)
	m.start(watching)
	cfg.Progress("%d buyers have registered; the sale is open", cfg.Buyers)

	faults := &faultRun{cfg: &cfg, recorder: recorder, gateways: len(gateways)}
	err = faults.run(ctx, plan)
	stopTraffic()
	<-trafficDone
	cfg.Progress("the buyers have stopped")
	result.Faults = faults.list
	observations := &check.Observations{
		Recorder: recorder, Sales: sim.Sales(), Users: sim.Users(), Views: sim.Views(), Visualizations: cfg.Out,
		States: map[string]*audit.State{},
	}
	if err == nil {
		begun := recorder.Now()
		err = settle(ctx, &cfg, observations, sim)
		result.Settled = time.Duration(recorder.Now() - begun)
	}
	stopWatch()
	m.stop()
	if writeErr := recorder.Write(filepath.Join(cfg.Out, "history.jsonl")); err == nil {
		err = writeErr
	}
	if err != nil {
		return result, err
	}
	observations.Outages, observations.Oversold, observations.Gateways = m.outages(), m.oversold(), m.admin[check.NoGateway]
	result.Cases = m.cases.total()
	result.Outages, result.Events = observations.Outages, len(observations.Sales)
	cfg.Progress("checking %d calls", len(recorder.Calls()))
	result.Verdicts = append(check.All(observations), faults.verdict())
	result.DoubleSold, result.LedgerDifference = check.DoubleSold(observations), check.Difference(observations)
	result.Counts, result.Series = count(recorder.Calls()), series(recorder.Calls(), result.SaleBegan)
	return result, nil
}

// settle waits until everything has ended, then lets all buyers read their
// bookings, and reads the stores.
func settle(ctx context.Context, cfg *Config, obs *check.Observations, sim *traffic.Simulation) error {
	auditor, err := audit.Open(ctx, cfg.System)
	if err != nil {
		return err
	}
	defer auditor.Close(ctx)
	began := time.Now()
	last := ""
	for {
		obs.Open, err = unsettled(ctx, auditor, obs)
		if err != nil {
			return err
		}
		if len(obs.Open) == 0 {
			cfg.Progress("settled after %.0f s", time.Since(began).Seconds())
			break
		}
		if time.Since(began) > settleTimeout {
			cfg.Progress("NOT settled after %s: %s", settleTimeout, obs.Open[0])
			break
		}
		if line := fmt.Sprintf("settling: %d things are open, such as: %s", len(obs.Open), obs.Open[0]); line != last {
			cfg.Progress("%s", line)
			last = line
		}
		if !clock.Sleep(ctx, 2*time.Second) {
			return ctx.Err()
		}
	}
	if err := sim.ReadAll(ctx); err != nil {
		return err
	}
	// Open work may have ended since, so the stores are read after the buyers.
	return read(ctx, auditor, obs)
}

func read(ctx context.Context, auditor *audit.Auditor, obs *check.Observations) error {
	for _, sale := range obs.Sales {
		state, err := auditor.State(ctx, sale.ID)
		if err != nil {
			return err
		}
		obs.States[sale.ID] = state
	}
	return nil
}

// unsettled describes what has not yet ended.
func unsettled(ctx context.Context, auditor *audit.Auditor, obs *check.Observations) ([]string, error) {
	if err := read(ctx, auditor, obs); err != nil {
		return nil, err
	}
	list := check.Unsettled(obs)
	waiting, err := auditor.Waiting(ctx)
	if waiting > 0 {
		list = append(list, fmt.Sprintf("%d messages, webhooks and refunds of payment-service are waiting", waiting))
	}
	return list, err
}
