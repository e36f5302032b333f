package booking

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Attendee is somebody who has a ticket.
type Attendee struct {
	Ticket, Booking uuid.UUID
	Seat            BookedSeat
	Currency        string
	// Holder is the buyer's e-mail.
	Holder string
	// CheckedInAt is nil for those who are not in.
	CheckedInAt *time.Time
}

// AttendeePosition is a place in an event's list of attendees.
type AttendeePosition struct {
	// Block is the home of the ticket's booking.
	Block  int
	Ticket uuid.UUID
}

// Attendees returns up to limit of those who have tickets after a position
// (nil: from the first), and the position to go on from, nil at the end.
func (s *Service) Attendees(ctx context.Context, e *Event, after *AttendeePosition, limit int) ([]Attendee, *AttendeePosition, error) {
	page := []Attendee{}
	var last AttendeePosition
	if after != nil {
		last = *after
	}
	for block := max(last.Block, 1); block <= e.BlockCount(); block++ {
		all, err := s.AttendeesOf(ctx, BlockID{e.ID(), block})
		if err != nil {
			return nil, nil, err
		}
		for _, a := range all {
			if after != nil && block == after.Block && bytes.Compare(a.Ticket[:], after.Ticket[:]) <= 0 {
				continue
			}
			if len(page) == limit {
				return page, &last, nil
			}
			page = append(page, a)
			last = AttendeePosition{block, a.Ticket}
		}
	}
	return page, nil, nil
}

// AttendeesOf returns those whose bookings live in a block, by ticket id.
func (s *Service) AttendeesOf(ctx context.Context, home BlockID) ([]Attendee, error) {
	records, err := s.store.ReadBookings(ctx, home)
	if err != nil {
		return nil, err
	}
	in, err := s.store.CheckIns(ctx, home)
	if err != nil {
		return nil, err
	}
	var all []Attendee
	for i := range records {
		rec := &records[i]
		if rec.Status != Confirmed {
			continue
		}
		for _, seat := range rec.Seats {
			a := Attendee{
				Ticket: TicketID(rec.ID, seat.ID), Booking: rec.ID, Seat: seat, Currency: rec.Total.Currency, Holder: rec.Holder,
			}
			if checkIn, ok := in[a.Ticket]; ok {
				a.CheckedInAt = &checkIn.At
			}
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b Attendee) int { return bytes.Compare(a.Ticket[:], b.Ticket[:]) })
	return all, nil
}
