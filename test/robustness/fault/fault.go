// Package fault injects every fault we can think of into a running Frontrow,
// and heals it.
package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/system"
)

// healTimeout is how long healing one fault may take: a Cassandra node takes
// minutes to start on a busy machine.
const healTimeout = 5 * time.Minute

// Fault is one fault with its duration.
type Fault struct {
	// Kind is the kind of fault, such as pause.
	Kind string
	// Target is a process, a link, a topic, a group, or the whole system.
	Target string
	// Duration is how long the fault lasts. Momentary kinds (kill, restart,
	// redis-flush, cassandra-flush) do not use it.
	Duration time.Duration
	// Detail is a variant of the kind, such as a cut link that refuses
	// connections.
	Detail string
}

// String names the fault, without its duration.
func (f Fault) String() string {
	name := f.Kind + " " + f.Target
	if f.Detail != "" {
		name += " (" + f.Detail + ")"
	}
	return name
}

// kind is a kind of fault.
type kind struct {
	name string
	// faults lists the instance's possible faults; reason says why there are
	// none.
	faults func() (list []Fault, reason string)
	// start starts the fault and returns its end. It may return an end together
	// with an error: what was started must be undone.
	start func(ctx context.Context, f Fault) (end undo, err error)
	// momentary means that the fault is over once it has been injected: it is
	// healed at once.
	momentary bool
}

// undo undoes a fault. It returns when the system is healthy again.
type undo func(ctx context.Context) error

// Injector injects faults into one instance.
type Injector struct {
	system    *system.System
	processes *system.Processes
	names     []string // of the processes that faults may target
	toxiproxy *links   // nil if the instance has no links
	locks     locks
	kinds     []kind
	catalogue []Fault
	missing   []string
}

// Open finds out which faults are possible in the instance.
func Open(s *system.System) (*Injector, error) {
	processes, err := system.OpenProcesses()
	if err != nil {
		return nil, err
	}
	i := &Injector{system: s, processes: processes, locks: locks{}}
	all := os.Getenv("FRONTROW_PROCESSES")
	if all == "" {
		return nil, errors.New("FRONTROW_PROCESSES is not set: it names the processes of a running instance")
	}
	for name := range strings.SplitSeq(all, ",") {
		if name != "toxiproxy" && name != "sentinel-views" { // they inject faults and are not targets
			i.names = append(i.names, name)
		}
	}
	if i.toxiproxy, err = openLinks(os.Getenv("FRONTROW_TOXIPROXY")); err != nil {
		return nil, err
	}
	i.kinds = slices.Concat(i.processKinds(), i.linkKinds(), i.redisKinds(), i.kafkaKinds(), i.clockKinds(), i.diskKinds(), i.cassandraKinds())
	for _, k := range i.kinds {
		list, reason := k.faults()
		for _, f := range list {
			f.Kind = k.name
			i.catalogue = append(i.catalogue, f)
		}
		if len(list) == 0 {
			i.missing = append(i.missing, k.name+": "+reason)
		}
	}
	return i, nil
}

// Catalogue lists every possible fault of this instance, always in the same
// order, without durations.
func (i *Injector) Catalogue() []Fault { return slices.Clone(i.catalogue) }

// Missing lists the kinds that are not possible in this instance, and why.
func (i *Injector) Missing() []string { return slices.Clone(i.missing) }

// Run starts a fault, keeps it for its duration and heals it, even if ctx ends
// meanwhile. It first waits for another fault on the same process or link to
// end. An error says that the fault could not be injected or healed.
func (i *Injector) Run(ctx context.Context, f Fault) error {
	at := slices.IndexFunc(i.kinds, func(k kind) bool { return k.name == f.Kind })
	if at < 0 {
		return fmt.Errorf("unknown fault kind %q", f.Kind)
	}
	k := i.kinds[at]
	end, err := k.start(ctx, f)
	if err == nil && !k.momentary {
		clock.Sleep(ctx, f.Duration)
	}
	if end != nil {
		healing, cancel := context.WithTimeout(context.WithoutCancel(ctx), healTimeout)
		defer cancel()
		if failed := end(healing); failed != nil {
			err = errors.Join(err, fmt.Errorf("heal: %w", failed))
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f, err)
	}
	return nil
}

// Heal undoes all faults: processes continue or are started, links are
// restored, and everything is ready.
func (i *Injector) Heal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healTimeout)
	defer cancel()
	failures := []error{i.toxiproxy.heal(), removeFiller(), killLeftovers()}
	states, err := i.processes.States(ctx)
	failures = append(failures, err)
	for _, name := range i.names {
		if states[name].Running {
			failures = append(failures, signalTree(states[name].PID, sigContinue))
		} else {
			failures = append(failures, i.start(ctx, name))
		}
	}
	failures = append(failures, i.processes.AwaitAllReady(ctx, i.names))
	return errors.Join(failures...)
}

// poll polls until done returns true or ctx ends.
func poll(ctx context.Context, what string, done func(ctx context.Context) (bool, error)) error {
	for {
		ok, err := done(ctx)
		if ok {
			return nil
		}
		clock.Sleep(ctx, 100*time.Millisecond)
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("waiting until %s: %w", what, ctx.Err()), err)
		}
	}
}

// eachOf returns a fault for each target.
func eachOf(targets ...string) []Fault {
	list := make([]Fault, len(targets))
	for i, t := range targets {
		list[i] = Fault{Target: t}
	}
	return list
}
