package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/system"
)

const (
	holdSeconds = 20
	password    = "correct horse battery"
)

// sale is the event that all buyers want, with its most wanted seats.
type sale struct {
	event client.Event
	// hot are the seats of the first rows: fewer than there are buyers.
	hot    []string
	blocks int
}

// openSale creates an organizer, a hall and an event on sale.
func openSale(ctx context.Context, running *system.System, out *progress) (*sale, error) {
	anonymous := client.New(running.URL, nil)
	session, err := anonymous.Login(ctx, running.AdminEmail, running.AdminPassword)
	if err != nil {
		return nil, fmt.Errorf("log in as admin: %w", err)
	}
	admin := anonymous.WithSession(session.SessionID)
	_, user, err := registerAndLogIn(ctx, anonymous, "Organizer")
	if err != nil {
		return nil, err
	}
	if _, err := admin.SetRole(ctx, user.ID, "organizer"); err != nil {
		return nil, err
	}
	organizer, _, err := logIn(ctx, anonymous, user.Email) // the new role begins with a new session
	if err != nil {
		return nil, err
	}
	out.printf("an organizer has registered; the admin has given the role")
	venue, err := organizer.CreateVenue(ctx, hall())
	if err != nil {
		return nil, err
	}
	s := &sale{hot: hotSeats(venue)}
	seats := 0
	for _, section := range venue.Sections {
		for _, row := range section.Rows {
			seats += len(row.Seats)
		}
	}
	out.printf("a hall with %d seats in %d sections, and a standing area for %d", seats, len(venue.Sections), venue.Areas[0].Capacity)
	draft, err := organizer.CreateEvent(ctx, draft(venue.ID))
	if err != nil {
		return nil, err
	}
	if s.event, err = organizer.Publish(ctx, draft.ID); err != nil {
		return nil, err
	}
	if s.blocks, err = awaitSeats(ctx, anonymous, draft.ID); err != nil {
		return nil, err
	}
	out.printf("the event is on sale in %d blocks; a hold lasts %d s", s.blocks, holdSeconds)
	return s, nil
}

// registerAndLogIn registers an account and logs in; it retries while the service is busy.
func registerAndLogIn(ctx context.Context, c *client.Client, name string) (*client.Client, client.User, error) {
	email := "demo-" + uuid.NewString() + "@frontrow.example"
	_, err := withRetry(ctx, func() (struct{}, error) { return struct{}{}, c.Register(ctx, email, password, name) })
	if err != nil {
		return nil, client.User{}, err
	}
	return logIn(ctx, c, email)
}

// logIn logs in; it retries while the service is busy.
func logIn(ctx context.Context, c *client.Client, email string) (*client.Client, client.User, error) {
	session, err := withRetry(ctx, func() (client.Session, error) { return c.Login(ctx, email, password) })
	return c.WithSession(session.SessionID), session.User, err
}

// awaitSeats waits until booking-service knows the event; it returns the number
// of blocks.
func awaitSeats(ctx context.Context, c *client.Client, eventID string) (int, error) {
	deadline := time.Now().Add(time.Minute)
	for {
		seats, err := c.Seats(ctx, eventID)
		if err == nil && len(seats.Blocks) > 0 {
			return len(seats.Blocks), nil
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("the event's seats did not appear within a minute: %w", err)
		}
		if !clock.Sleep(ctx, 100*time.Millisecond) {
			return 0, ctx.Err()
		}
	}
}

// hall has 2,080 seats in four sections and a standing area for 300.
func hall() client.NewVenue {
	v := client.NewVenue{
		Name: "Great Hall", City: "Vienna", TimeZone: "Europe/Vienna",
		Categories: []client.Category{{ID: "premium", Name: "Premium"}, {ID: "standard", Name: "Standard"}, {ID: "floor", Name: "Standing"}},
		Areas:      []client.NewArea{{ID: "floor", Name: "Floor", Category: "floor", Capacity: 300, X: 13, Y: -5}},
	}
	for n, section := range []struct{ id, name, category string }{
		{"stalls-left", "Stalls left", "premium"},
		{"stalls-right", "Stalls right", "premium"},
		{"circle", "Circle", "standard"},
		{"balcony", "Balcony", "standard"},
	} {
		s := client.NewSection{ID: section.id, Name: section.name}
		for r := range 20 {
			row := client.NewRow{Label: strconv.Itoa(r + 1), Category: section.category}
			for i := range 26 {
				row.Seats = append(row.Seats, client.NewSeat{
					Number: strconv.Itoa(i + 1), X: float64(30*(n%2) + i), Y: float64(25*(n/2) + r), Accessible: r == 19 && i < 4,
				})
			}
			s.Rows = append(s.Rows, row)
		}
		v.Sections = append(v.Sections, s)
	}
	return v
}

// hotSeats returns the first three rows of the stalls.
func hotSeats(v client.Venue) []string {
	var ids []string
	for _, section := range v.Sections[:2] {
		for _, row := range section.Rows[:3] {
			for _, seat := range row.Seats {
				ids = append(ids, seat.ID)
			}
		}
	}
	return ids
}

func draft(venueID string) client.NewEvent {
	now := time.Now().UTC().Truncate(time.Second)
	return client.NewEvent{
		Name: "The Night Everybody Wants", Description: "One night only.", VenueID: venueID,
		StartsAt: now.AddDate(0, 2, 0), EndsAt: now.AddDate(0, 2, 0).Add(3 * time.Hour), TimeZone: "Europe/Vienna", Currency: "EUR",
		TicketTypes: []client.NewTicketType{
			{ID: "premium", Name: "Premium", Category: "premium", Price: 12900},
			{ID: "standard", Name: "Standard", Category: "standard", Price: 5950},
			{ID: "floor", Name: "Standing", Category: "floor", Price: 3500},
		},
		SaleStartsAt: now.Add(-time.Minute), SaleEndsAt: now.AddDate(0, 1, 0), MaxSeatsPerBuyer: 12, HoldSeconds: holdSeconds,
	}
}
