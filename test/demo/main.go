// Command demo sells one event to two hundred buyers at once, only through the
// gateway, waits until everything is settled, and checks the result. It exits
// with status 1 if a seat was sold twice or a cent is not where it belongs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/system"
)

const (
	buyerCount = 200
	// settleTimeout is how long holds, payments and refunds may take to end.
	settleTimeout = 3 * time.Minute
	resultFile    = ".run/demo.json"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	running, err := system.Open()
	if err != nil {
		return err
	}
	begin := time.Now()
	out := &progress{begin: begin}
	s, err := openSale(ctx, running, out)
	if err != nil {
		return err
	}
	buyers, err := registerBuyers(ctx, running.URL, out)
	if err != nil {
		return err
	}
	buyConcurrently(ctx, buyers, s, out)
	if err := settle(ctx, buyers, out); err != nil {
		return err
	}
	figures, err := count(ctx, running, buyers, s)
	if err != nil {
		return err
	}
	figures.print(time.Since(begin))
	if err := figures.write(resultFile); err != nil {
		return err
	}
	return figures.violations()
}

// count combines the buyers' results with the stores' state.
func count(ctx context.Context, running *system.System, buyers []*buyer, s *sale) (figures, error) {
	f := figures{}
	for _, b := range buyers {
		f.add(b)
	}
	auditor, err := audit.Open(ctx, running)
	if err != nil {
		return f, err
	}
	defer auditor.Close(ctx)
	report, err := auditor.Event(ctx, s.event.ID)
	if err != nil {
		return f, err
	}
	f.SoldTwice, f.soldTwice, f.inconsistent = len(report.SoldTwice), report.SoldTwice, report.Inconsistent
	f.Captured, f.MoneyRefunded = report.Captured, report.Refunded
	f.LedgerDifference = report.Difference()
	f.storedConfirmed, f.unsettled = report.Confirmed, report.Unsettled
	return f, nil
}

func (f *figures) write(path string) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

// violations names every violated invariant.
func (f *figures) violations() error {
	var violations []error
	for _, check := range []struct {
		violated bool
		message  string
	}{
		{f.SoldTwice != 0, fmt.Sprintf("seats sold twice: %v", f.soldTwice)},
		{len(f.inconsistent) != 0, fmt.Sprintf("the event's log breaks the rules: %v", f.inconsistent)},
		{f.LedgerDifference != 0, fmt.Sprintf("captured − refunded is not the price of the confirmed bookings: the difference is %s", euros(f.LedgerDifference))},
		{f.Failed != 0, fmt.Sprintf("%d requests were neither accepted nor refused; the first: %s", f.Failed, f.firstFailure)},
		{f.Won != f.Confirmed+f.Expired+f.Cancelled+f.PaymentFailed, "a successful hold has not ended"},
		{f.Confirmed != f.storedConfirmed, fmt.Sprintf("the buyers see %d confirmed bookings, the store has %d", f.Confirmed, f.storedConfirmed)},
		{f.unsettled != 0, fmt.Sprintf("%d holds, charges or refunds have not ended", f.unsettled)},
	} {
		if check.violated {
			violations = append(violations, errors.New(check.message))
		}
	}
	return errors.Join(violations...)
}
