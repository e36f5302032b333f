// Command seed puts demonstration events on sale; `make up DEMO=1` runs it. It
// leaves existing events unchanged.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/system"
)

const (
	organizerEmail = "olga@frontrow.example"
	buyerEmail     = "ada@frontrow.example"
	password       = "correct horse battery"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := seed(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func seed(ctx context.Context) error {
	running, err := system.Open()
	if err != nil {
		return err
	}
	anonymous := client.New(running.URL, nil)
	// The gateway may not have discovered the services yet.
	if err := await(ctx, func() error { _, err := anonymous.Events(ctx, nil); return err }); err != nil {
		return fmt.Errorf("wait for events: %w", err)
	}
	session, err := anonymous.Login(ctx, running.AdminEmail, running.AdminPassword)
	if err != nil {
		return fmt.Errorf("log in as admin: %w", err)
	}
	olga, err := account(ctx, anonymous, organizerEmail, "Olga")
	if err != nil {
		return err
	}
	if _, err := anonymous.WithSession(session.SessionID).SetRole(ctx, olga.User.ID, "organizer"); err != nil {
		return err
	}
	if olga, err = account(ctx, anonymous, organizerEmail, "Olga"); err != nil { // the new role begins with a new session
		return err
	}
	ada, err := account(ctx, anonymous, buyerEmail, "Ada")
	if err != nil {
		return err
	}
	if err := anonymous.WithSession(ada.SessionID).Verify(ctx); err != nil { // so that she can pay
		return fmt.Errorf("%s: %w", buyerEmail, err)
	}
	organizer := anonymous.WithSession(olga.SessionID)
	venues := map[string]string{}
	for _, show := range shows(time.Now()) {
		found, err := organizer.Events(ctx, url.Values{"mine": {"true"}, "q": {show.event.Name}})
		if err != nil {
			return err
		}
		if len(found.Items) > 0 {
			fmt.Printf("  %-32s is there already\n", show.event.Name)
			continue
		}
		if venues[show.venue.Name] == "" {
			venue, err := organizer.CreateVenue(ctx, show.venue)
			if err != nil {
				return fmt.Errorf("%s: %w", show.venue.Name, err)
			}
			venues[show.venue.Name] = venue.ID
		}
		show.event.VenueID = venues[show.venue.Name]
		draft, err := organizer.CreateEvent(ctx, show.event)
		if err != nil {
			return fmt.Errorf("%s: %w", show.event.Name, err)
		}
		if _, err := organizer.Publish(ctx, draft.ID); err != nil {
			return fmt.Errorf("%s: %w", show.event.Name, err)
		}
		if err := await(ctx, func() error { _, err := anonymous.Seats(ctx, draft.ID); return err }); err != nil {
			return fmt.Errorf("%s: wait for seats: %w", show.event.Name, err)
		}
		fmt.Printf("  %-32s is on sale: %d seats\n", show.event.Name, capacity(show.venue))
	}
	fmt.Printf(`
To buy a ticket: open %s, choose an event and seats, and pay with a test card.
  buyer     %s
  organiser %s
  password  %s (of both)
`, strings.TrimSuffix(running.URL, "api/v1"), buyerEmail, organizerEmail, password)
	return nil
}

// account logs in, and registers first if necessary.
func account(ctx context.Context, c *client.Client, email, name string) (client.Session, error) {
	session, err := c.Login(ctx, email, password)
	var p *client.Problem
	if errors.As(err, &p) && p.Code == "invalid_credentials" {
		if err = c.Register(ctx, email, password, name); err == nil {
			session, err = c.Login(ctx, email, password)
		}
	}
	if err != nil {
		return session, fmt.Errorf("%s: %w", email, err)
	}
	return session, nil
}

// await tries until it succeeds, for two minutes at most.
func await(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		err := try()
		if err == nil || !clock.Sleep(ctx, 200*time.Millisecond) {
			return err
		}
	}
}

func capacity(v client.NewVenue) int {
	n := 0
	for _, s := range v.Sections {
		for _, r := range s.Rows {
			n += len(r.Seats)
		}
	}
	for _, a := range v.Areas {
		n += a.Capacity
	}
	return n
}
