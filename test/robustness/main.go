// Command robustness injects every known fault into a running Frontrow while
// buyers buy, and checks the clients' history and the stores. Without -instance
// it uses the Frontrow described by the environment. It exits with status 1 if
// an invariant is violated, a mutant is not detected, or a rare case that must
// happen sometimes was never seen.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/frontrow-tickets/frontrow/test/robustness/fault"
	"github.com/frontrow-tickets/frontrow/test/robustness/report"
	"github.com/frontrow-tickets/frontrow/test/robustness/round"
	"github.com/frontrow-tickets/frontrow/test/system"
)

// errFailed makes the program exit with status 1; the violations have already
// been printed.
var errFailed = errors.New("an invariant is violated, a mutant was not detected, or a rare case was never seen")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: "+err.Error())
		os.Exit(1)
	}
}

// options are the command-line options.
type options struct {
	seeds    seeds
	length   time.Duration
	buyers   int
	out      string
	figures  string
	instance string
	mutants  bool
}

// seeds is a flag that may be repeated, or hold a comma-separated list.
type seeds []uint64

// String formats the seeds as the flag accepts them.
func (s *seeds) String() string {
	texts := make([]string, len(*s))
	for i, seed := range *s {
		texts[i] = strconv.FormatUint(seed, 10)
	}
	return strings.Join(texts, ",")
}

// Set adds seeds.
func (s *seeds) Set(text string) error {
	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		seed, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a seed: a seed is a whole number", field)
		}
		*s = append(*s, seed)
	}
	return nil
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("robustness", flag.ContinueOnError)
	flags.Var(&o.seeds, "seed", "seed of a round; several: -seed 1,2,3")
	flags.DurationVar(&o.length, "duration", 4*time.Minute, "how long the buyers buy in each round")
	flags.IntVar(&o.buyers, "buyers", 16, "number of buyers")
	flags.StringVar(&o.out, "out", ".run/robustness", "folder for the report")
	flags.StringVar(&o.figures, "figures", ".run/robustness.json", "file for the figures")
	flags.StringVar(&o.instance, "instance", "", "instance to start first and to stop at the end; without, use the one in the environment")
	flags.BoolVar(&o.mutants, "mutants", false, "check that every mutant of booking-service is detected")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if len(o.seeds) == 0 && !o.mutants {
		o.seeds = seeds{1}
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil // the help has been printed
	}
	if err != nil {
		return err
	}
	s := &session{options: o, began: time.Now()}
	if o.instance != "" {
		defer s.stopInstance(ctx)
		if err := s.startInstance(ctx); err != nil {
			return err
		}
	}
	if s.system, err = system.Open(); err != nil {
		return err
	}
	if s.injector, err = fault.Open(s.system); err != nil {
		return err
	}
	catalogue := s.injector.Catalogue()
	s.progress("%d faults are possible here", len(catalogue))
	for _, missing := range s.injector.Missing() {
		s.progress("not possible here: %s", missing)
	}
	err = s.rounds(ctx)
	if err == nil && o.mutants {
		err = s.runMutants(ctx)
	}
	if len(s.results) == 0 && len(s.mutantResults) == 0 {
		return err
	}
	// Report the results so far in any case.
	return errors.Join(err, s.report(err != nil))
}

// session is one run of the command.
type session struct {
	options
	began         time.Time
	system        *system.System
	injector      *fault.Injector
	results       []*round.Result
	mutantResults []report.Mutant
}

func (s *session) progress(format string, arguments ...any) {
	fmt.Printf("%7.1f s  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, arguments...))
}

func (s *session) rounds(ctx context.Context) error {
	for i, seed := range s.seeds {
		name := fmt.Sprintf("round %d of %d", i+1, len(s.seeds))
		result, err := round.Run(ctx, s.config(name, seed, s.length, fmt.Sprintf("seed-%d", seed)))
		if err != nil {
			return fmt.Errorf("%s (seed %d): %w", name, seed, err)
		}
		s.results = append(s.results, result)
		s.printVerdicts(result)
		if err := s.report(true); err != nil && !errors.Is(err, errFailed) {
			return err
		}
	}
	return nil
}

func (s *session) config(name string, seed uint64, length time.Duration, folder string) round.Config {
	return round.Config{
		Name: name, Seed: seed, Length: length, Buyers: s.buyers, System: s.system, Injector: s.injector,
		Out: filepath.Join(s.out, folder), Progress: s.progress,
	}
}
