// Queuesim simulates sales with a queue: the event's state and the controller of
// admissions are the real ones, people and the work of the event's owner are
// models. It prints a table and writes a report with charts.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frontrow-tickets/frontrow/api/events"
)

// sale is a pattern and its results with a queue and without one.
type sale struct {
	pattern
	with, without result
}

func main() {
	out := flag.String("o", ".run/queue-sim.html", "the report")
	size := flag.Float64("size", 1, "scales people and seats")
	seed := flag.Uint64("seed", 1, "of the random numbers")
	flag.Parse()
	start := time.Now()
	sales := simulateAll(*size, *seed)
	if err := printTable(os.Stdout, sales); err != nil {
		log.Fatalf("print table: %v", err)
	}
	if err := writeReport(*out, sales); err != nil {
		log.Fatalf("write report: %v", err)
	}
	fmt.Printf("%s, %.0f s\n", *out, time.Since(start).Seconds())
}

// simulateAll simulates all patterns.
func simulateAll(size float64, seed uint64) []sale {
	var group errgroup.Group
	var sales []sale
	for _, p := range patterns(size) {
		sales = append(sales, sale{pattern: p})
	}
	for i := range sales {
		s := &sales[i]
		group.Go(func() error { s.with = simulate(s.pattern, events.QueueAlways, seed); return nil })
		group.Go(func() error { s.without = simulate(s.pattern, events.QueueOff, seed); return nil })
	}
	_ = group.Wait() // they return no errors
	return sales
}
