package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/system"
)

const (
	rowSeats     = 30
	sectionSeats = 300
	// buyerLimit is the largest limit per buyer that an event may set.
	buyerLimit = 50
)

// organizer creates venues and events, through the gateway.
type organizer struct {
	public, client *client.Client
	// venues maps numbers of seats to venue ids.
	venues map[int]string
}

// newOrganizer registers an organizer; the admin grants the role.
func newOrganizer(ctx context.Context, running *system.System) (*organizer, error) {
	anonymous := client.New(running.URL, nil)
	session, err := anonymous.Login(ctx, running.AdminEmail, running.AdminPassword)
	if err != nil {
		return nil, fmt.Errorf("log in as admin: %w", err)
	}
	email, password := "load-"+uuid.NewString()+"@frontrow.example", "correct horse battery"
	if err := anonymous.Register(ctx, email, password, "Load"); err != nil {
		return nil, err
	}
	own, err := anonymous.Login(ctx, email, password)
	if err != nil {
		return nil, err
	}
	if _, err := anonymous.WithSession(session.SessionID).SetRole(ctx, own.User.ID, "organizer"); err != nil {
		return nil, err
	}
	own, err = anonymous.Login(ctx, email, password) // the new role begins with a new session
	if err != nil {
		return nil, err
	}
	return &organizer{public: anonymous, client: anonymous.WithSession(own.SessionID), venues: map[int]string{}}, nil
}

// event is an event on sale.
type event struct {
	id         string
	seats      int
	blockSeats []int
}

// open puts an event with the given number of seats on sale and returns when
// every seat can be bought.
func (o *organizer) open(ctx context.Context, seats, holdSeconds int) (*event, error) {
	return o.openWith(ctx, seats, func(e *client.NewEvent) { e.HoldSeconds = holdSeconds })
}

// openWith is open for an event that change completes.
func (o *organizer) openWith(ctx context.Context, seats int, change func(*client.NewEvent)) (*event, error) {
	if o.venues[seats] == "" {
		venue, err := o.client.CreateVenue(ctx, hall(seats))
		if err != nil {
			return nil, fmt.Errorf("venue of %d seats: %w", seats, err)
		}
		o.venues[seats] = venue.ID
	}
	now := time.Now().UTC().Truncate(time.Second)
	wanted := client.NewEvent{
		Name: "The Night Everybody Wants", Description: "One night only.", VenueID: o.venues[seats],
		StartsAt: now.AddDate(0, 2, 0), EndsAt: now.AddDate(0, 2, 0).Add(3 * time.Hour), TimeZone: "Europe/Vienna", Currency: "EUR",
		TicketTypes: []client.NewTicketType{
			{ID: "premium", Name: "Premium", Category: "premium", Price: 12900},
			{ID: "standard", Name: "Standard", Category: "standard", Price: 5950},
		},
		SaleStartsAt: now.Add(-time.Minute), SaleEndsAt: now.AddDate(0, 1, 0), MaxSeatsPerBuyer: buyerLimit,
	}
	change(&wanted)
	draft, err := o.client.CreateEvent(ctx, wanted)
	if err != nil {
		return nil, err
	}
	if _, err := o.client.Publish(ctx, draft.ID); err != nil {
		return nil, err
	}
	e := &event{id: draft.ID, seats: seats}
	err = poll(ctx, 3*time.Minute, fmt.Sprintf("the event's %d seats to appear", seats), func() bool {
		got, err := o.public.Seats(ctx, e.id)
		if err != nil {
			return false
		}
		e.blockSeats = e.blockSeats[:0]
		shown := 0
		for _, b := range got.Blocks {
			e.blockSeats = append(e.blockSeats, len(b.States))
			shown += len(b.States)
		}
		return shown == seats
	})
	return e, err
}

// hall returns a venue of sections with rows of an even number of seats, so
// that seats 2n and 2n+1 of a block are neighbours.
func hall(seats int) client.NewVenue {
	v := client.NewVenue{
		Name: "Arena of " + strconv.Itoa(seats), City: "Vienna", TimeZone: "Europe/Vienna",
		Categories: []client.Category{{ID: "premium", Name: "Premium"}, {ID: "standard", Name: "Standard"}},
		Sections:   make([]client.NewSection, 0, sectionsOf(seats)), Areas: []client.NewArea{},
	}
	for n := 0; seats > 0; n++ {
		s := client.NewSection{ID: "s" + strconv.Itoa(n+1), Name: "Section " + strconv.Itoa(n+1)}
		category := "standard"
		if n%3 == 0 {
			category = "premium"
		}
		for r := range sectionSeats / rowSeats {
			row := client.NewRow{Label: strconv.Itoa(r + 1), Category: category}
			for i := range min(rowSeats, seats) {
				row.Seats = append(row.Seats, client.NewSeat{Number: strconv.Itoa(i + 1), X: float64(40*(n%20) + i), Y: float64(12*(n/20) + r)})
			}
			seats -= len(row.Seats)
			if len(row.Seats) > 0 {
				s.Rows = append(s.Rows, row)
			}
		}
		v.Sections = append(v.Sections, s)
	}
	return v
}

func sectionsOf(seats int) int { return (seats + sectionSeats - 1) / sectionSeats }

// poll waits for a condition.
func poll(ctx context.Context, timeout time.Duration, what string, condition func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}
