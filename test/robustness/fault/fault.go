// Package fault hurts a running Frontrow in every way we can think of, and heals it.
package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/test/stack"
)

// healPatience is how long healing one fault may take: a node of Cassandra
// that starts on a busy machine takes minutes.
const healPatience = 5 * time.Minute

// Fault is one thing done to the system, from begin to end.
type Fault struct {
	// Kind is what is done, such as pause.
	Kind string
	// Target is a process, a link, a topic, a group, or the whole.
	Target string
	// Duration is how long it is kept. Kinds that are done in a moment (kill,
	// restart, redis-flush, cassandra-flush) do not use it.
	Duration time.Duration
	// Detail is a variety of the kind, such as a cut link that refuses.
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

// kind is one way to hurt.
type kind struct {
	name string
	// faults are what the instance can be done; reason says why there are none.
	faults func() (list []Fault, reason string)
	// begin does it and returns how it is ended. It may return an end together
	// with an error: what was begun must be undone.
	begin func(ctx context.Context, f Fault) (end end, err error)
	// moment tells that the fault is over when it has been done: it is healed
	// at once.
	moment bool
}

// end undoes a fault; it returns when the system is whole again.
type end func(ctx context.Context) error

// Injector hurts one instance.
type Injector struct {
	stack     *stack.Stack
	processes *stack.Processes
	names     []string // of the processes that may be hurt
	toxiproxy *links   // nil: the instance has no links
	held      holds
	kinds     []kind
	catalogue []Fault
	missing   []string
}

// Open finds out what the instance has that can be hurt.
func Open(s *stack.Stack) (*Injector, error) {
	processes, err := stack.OpenProcesses()
	if err != nil {
		return nil, err
	}
	i := &Injector{stack: s, processes: processes, held: holds{}}
	all := os.Getenv("FRONTROW_PROCESSES")
	if all == "" {
		return nil, errors.New("FRONTROW_PROCESSES is not set: it names the processes of a running instance")
	}
	for name := range strings.SplitSeq(all, ",") {
		if name != "toxiproxy" && name != "sentinel-views" { // they are what hurts, not what is hurt
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

// Catalogue lists every fault that this instance can be done, always in the
// same order, with no duration.
func (i *Injector) Catalogue() []Fault { return slices.Clone(i.catalogue) }

// Missing lists the kinds that this instance can't be done, and why.
func (i *Injector) Missing() []string { return slices.Clone(i.missing) }

// Run begins a fault, keeps it for its duration and heals it, also when ctx
// ends meanwhile. It waits for another fault on the same process or link to
// end. An error says that the fault could not be done, or not be healed.
func (i *Injector) Run(ctx context.Context, f Fault) error {
	at := slices.IndexFunc(i.kinds, func(k kind) bool { return k.name == f.Kind })
	if at < 0 {
		return fmt.Errorf("there is no fault of the kind %q", f.Kind)
	}
	k := i.kinds[at]
	end, err := k.begin(ctx, f)
	if err == nil && !k.moment {
		wait(ctx, f.Duration)
	}
	if end != nil {
		healing, cancel := context.WithTimeout(context.WithoutCancel(ctx), healPatience)
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

// Heal brings everything back, whatever was done to it: processes go on or are
// started, links are whole, and all is ready.
func (i *Injector) Heal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healPatience)
	defer cancel()
	failures := []error{i.toxiproxy.heal(), removeFiller(), killStrays()}
	states, err := i.processes.States(ctx)
	failures = append(failures, err)
	for _, name := range i.names {
		if states[name].Running {
			failures = append(failures, signalTree(states[name].PID, goOn))
		} else {
			failures = append(failures, i.start(ctx, name))
		}
	}
	failures = append(failures, i.processes.AwaitAllReady(ctx, i.names))
	return errors.Join(failures...)
}

// wait returns after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// until asks again and again until done, or until ctx ends.
func until(ctx context.Context, what string, done func(ctx context.Context) (bool, error)) error {
	for {
		ok, err := done(ctx)
		if ok {
			return nil
		}
		wait(ctx, 100*time.Millisecond)
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("waiting until %s: %w", what, ctx.Err()), err)
		}
	}
}

// on lists a fault for each target.
func on(targets ...string) []Fault {
	list := make([]Fault, len(targets))
	for i, t := range targets {
		list[i] = Fault{Target: t}
	}
	return list
}
