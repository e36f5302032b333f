package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/caarlos0/env/v11"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/cassandra"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

const logUsage = "usage: booking-service log <event> [--seat <block>-<index>] [--booking <id>]"

// printLog prints the history of an event, of a seat, or of a booking.
func printLog(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(logUsage)
	}
	event, err := uuid.Parse(args[0])
	if err != nil {
		return fmt.Errorf("%q is not an event's id; %s", args[0], logUsage)
	}
	var filter booking.HistoryFilter
	flags := flag.NewFlagSet("log", flag.ContinueOnError)
	flags.Func("seat", "a seat, <block>-<index>", func(text string) error {
		id, err := booking.ParseSeatID(text)
		filter.Seat = &id
		return err
	})
	flags.Func("booking", "a booking's id", func(text string) error {
		id, err := uuid.Parse(text)
		filter.Booking = booking.OwnHalf(id)
		return err
	})
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	cfg, err := env.ParseAs[cassandra.Config]()
	if err != nil {
		return err
	}
	store := cassandra.New(cfg)
	defer store.Close()
	return printHistory(ctx, store, event, filter)
}

func printHistory(ctx context.Context, store *cassandra.Store, event uuid.UUID, filter booking.HistoryFilter) error {
	id := eventlog.IDOf(event)
	head, err := store.Head(ctx, id, true)
	if err != nil {
		return err
	}
	if head == 0 {
		return fmt.Errorf("event %s has no log: it never was on sale", event)
	}
	state := booking.NewState()
	for state.Seq < head {
		entries, err := store.Read(ctx, id, state.Seq, 500)
		if err == nil && len(entries) == 0 {
			err = fmt.Errorf("entry %d is missing", state.Seq+1)
		}
		if err != nil {
			return err
		}
		for _, stored := range entries {
			var entry logpb.Entry
			if err := proto.Unmarshal(stored.Data, &entry); err != nil {
				return fmt.Errorf("entry %d: %w", stored.Seq, err)
			}
			if err := state.Apply(stored.Seq, &entry); err != nil {
				return err
			}
			for _, line := range state.History(&entry, filter) {
				fmt.Fprintf(os.Stdout, "%d  %s\n", stored.Seq, line)
			}
		}
	}
	return nil
}
