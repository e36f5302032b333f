// Command load measures how fast Frontrow sells on the current machine,
// relative to the machine's limits and to other ways of selling. `make bench`
// starts a separate Frontrow and runs the test against it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/frontrow-tickets/frontrow/test/load/openloop"
	"github.com/frontrow-tickets/frontrow/test/load/report"
	"github.com/frontrow-tickets/frontrow/test/system"
)

// buyers suffice for every pair of an event to go to a different buyer.
const buyers = 25_000

type options struct {
	only        string
	rate        int
	seconds     int
	connections int
	seats       int
	people      int
	refused     bool
	result      string
	hop         string
	waiting     string
	shared      int
}

// alone reports whether the part needs only a running Frontrow.
func (o *options) alone() bool {
	return slices.Contains([]string{"holds", "sale", "rf3", "queue"}, o.only)
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "one part: compare, half, scaling, saga, overload, sse, onsale, load or forwarded; rf3: holds with three copies; holds: just holds, to see what they cost; sale: a steady sale while somebody breaks things; queue: an on-sale with a waiting room, then one without")
	flag.IntVar(&o.rate, "rate", 0, "with -only holds: arrivals a second; 0: as fast as answers come. With -only sale: buyers a second")
	flag.IntVar(&o.seconds, "seconds", 5, "with -only holds or sale: how long requests begin; a sale also ends at an interrupt")
	flag.IntVar(&o.connections, "connections", 128, "with -only holds: most requests under way at once")
	flag.IntVar(&o.seats, "seats", 50_000, "with -only holds: seats of the event")
	flag.IntVar(&o.people, "people", 20_000, "with -only queue: people who want a fifth as many seats")
	flag.BoolVar(&o.refused, "refused", false, "with -only holds: ask for seats that are taken")
	flag.StringVar(&o.result, "result", "", "with -only sale: the file for the result, as JSON")
	flag.StringVar(&o.hop, "hop", "", "be a bare server (\"server\") or the proxy of one at an address; used by this program itself")
	flag.StringVar(&o.waiting, "waiting", "", "the program of a gateway, built by make bench: start it, open -connections streams of a queue, and print what -seconds of them cost it")
	flag.IntVar(&o.shared, "shared", 1, "with -waiting: streams per connection")
	flag.Parse()
	if o.hop != "" {
		if err := serveHop(o.hop); err != nil {
			fmt.Fprintln(os.Stderr, "error: "+err.Error())
			os.Exit(1)
		}
		return
	}
	known := o.only == "" || o.alone() || slices.ContainsFunc(parts, func(p part) bool { return p.name == o.only })
	if !known {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if o.waiting != "" {
		err = onlyWaiting(ctx, os.Stdout, o)
	} else {
		err = run(ctx, o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: "+err.Error())
		os.Exit(1)
	}
}

// bench holds a running Frontrow and its load generator.
type bench struct {
	running   *system.System
	processes *system.Processes
	organizer *organizer
	target    *openloop.Target
	wire      *wire
	out       io.Writer
	// seed determines the demand for the next event.
	seed uint64

	slices  []report.Slice
	figures []report.Figure
	// sold are holds already made, for requesting taken seats.
	sold []holdRequest
	// holdMax is the maximum hold rate per second, the median of the rounds.
	holdMax      float64
	onSaleSeries []report.Bucket
	begin        time.Time
}

func run(ctx context.Context, o options) error {
	// The generator's own garbage collection must not affect the figures:
	// during a run it uses memory allocated before.
	debug.SetGCPercent(800)
	sessions := buyers
	switch o.only {
	case "sale":
		sessions = saleBuyers
	case "queue":
		sessions = o.people + o.people/botShare
	}
	b, err := newBench(ctx, o.alone(), sessions)
	if err != nil {
		return err
	}
	defer b.target.Close()
	switch o.only {
	case "holds":
		return b.onlyHolds(ctx, o)
	case "rf3":
		return b.replicated(ctx)
	case "queue":
		return b.onlyQueue(ctx, o.people)
	case "sale":
		// An interrupt ends only the sale, not the checks after it.
		return b.onlySale(context.WithoutCancel(ctx), ctx, o)
	}
	return b.all(ctx, o.only)
}

// newBench connects to the running processes. With alone set it needs no
// supervisor, but then reports no CPU times.
func newBench(ctx context.Context, alone bool, sessions int) (*bench, error) {
	b := &bench{out: os.Stdout, begin: time.Now(), figures: figures()}
	var err error
	if b.running, err = system.Open(); err != nil {
		return nil, err
	}
	if b.processes, err = system.OpenProcesses(); err != nil && !alone {
		return nil, err
	}
	address, err := addressOf(b.running.URL)
	if err != nil {
		return nil, err
	}
	if b.target, err = openloop.NewTarget(address); err != nil {
		return nil, err
	}
	if b.organizer, err = newOrganizer(ctx, b.running); err != nil {
		return nil, err
	}
	b.wire = &wire{host: address}
	if b.wire.sessions, err = logIn(ctx, b.running.Redis, sessions); err != nil {
		return nil, err
	}
	b.progress("%d buyers are logged in", sessions)
	return b, nil
}

// addressOf returns the address and port of a URL on this machine.
func addressOf(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	host := u.Hostname()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, u.Port()), nil
}

// progress prints a line with the time since the start.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(b.out, "%7.1f s  %s\n", time.Since(b.begin).Seconds(), fmt.Sprintf(format, args...))
}
