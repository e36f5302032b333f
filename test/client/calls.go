package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// Register creates an account.
func (c *Client) Register(ctx context.Context, email, password, name string) (User, error) {
	return c.RegisterOnce(ctx, email, password, name, "")
}

// RegisterOnce creates an account, with an Idempotency-Key that makes a retry safe.
func (c *Client) RegisterOnce(ctx context.Context, email, password, name, key string) (User, error) {
	body := map[string]string{"email": email, "password": password, "name": name}
	return post[User](ctx, c, "/auth/register", body, key)
}

// Login opens a session, without using it: see WithSession.
func (c *Client) Login(ctx context.Context, email, password string) (Session, error) {
	return post[Session](ctx, c, "/auth/login", map[string]string{"email": email, "password": password}, "")
}

// Logout ends the session; everywhere ends all sessions of the account.
func (c *Client) Logout(ctx context.Context, everywhere bool) error {
	path := "/auth/logout"
	if everywhere {
		path = "/auth/logout-all"
	}
	return c.call(ctx, Request{Method: http.MethodPost, Path: path}, nil)
}

// Me returns the session's account.
func (c *Client) Me(ctx context.Context) (User, error) { return get[User](ctx, c, "/auth/me", nil) }

// SetRole gives an account a role.
func (c *Client) SetRole(ctx context.Context, userID, role string) (User, error) {
	var user User
	err := c.call(ctx, Request{Method: http.MethodPut, Path: "/auth/users/" + userID + "/role", Body: map[string]string{"role": role}}, &user)
	return user, err
}

// CreateVenue creates a venue.
func (c *Client) CreateVenue(ctx context.Context, v Venue) (Venue, error) {
	return post[Venue](ctx, c, "/venues", v, "")
}

// Venue reads a venue.
func (c *Client) Venue(ctx context.Context, id string) (Venue, error) {
	return get[Venue](ctx, c, "/venues/"+id, nil)
}

// CreateEvent creates a draft.
func (c *Client) CreateEvent(ctx context.Context, e NewEvent) (Event, error) {
	return post[Event](ctx, c, "/events", e, "")
}

// Event reads an event.
func (c *Client) Event(ctx context.Context, id string) (Event, error) {
	return get[Event](ctx, c, "/events/"+id, nil)
}

// Page is one page of a list.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

// Events lists events; query may have q, from, to, mine, cursor and limit.
func (c *Client) Events(ctx context.Context, query url.Values) (Page[Event], error) {
	return get[Page[Event]](ctx, c, "/events", query)
}

// PatchEvent changes fields of an event that is still at version.
func (c *Client) PatchEvent(ctx context.Context, id string, version int64, fields map[string]any) (Event, error) {
	var event Event
	err := c.call(ctx, Request{
		Method: http.MethodPatch, Path: "/events/" + id, Body: fields,
		Header: http.Header{"If-Match": {strconv.Quote(strconv.FormatInt(version, 10))}},
	}, &event)
	return event, err
}

// Publish puts a draft on sale.
func (c *Client) Publish(ctx context.Context, id string) (Event, error) {
	return post[Event](ctx, c, "/events/"+id+"/publish", nil, "")
}

// CancelEvent cancels an event.
func (c *Client) CancelEvent(ctx context.Context, id, reason string) (Event, error) {
	return post[Event](ctx, c, "/events/"+id+"/cancel", map[string]string{"reason": reason}, "")
}

// Seats reads the snapshot of an event's seats.
func (c *Client) Seats(ctx context.Context, eventID string) (Availability, error) {
	return get[Availability](ctx, c, "/events/"+eventID+"/seats", nil)
}

// Hold books seats; key may be empty.
func (c *Client) Hold(ctx context.Context, b NewBooking, key string) (Booking, error) {
	return post[Booking](ctx, c, "/bookings", b, key)
}

// Booking reads one of one's own bookings.
func (c *Client) Booking(ctx context.Context, id string) (Booking, error) {
	return get[Booking](ctx, c, "/bookings/"+id, nil)
}

// Bookings lists one's own bookings, newest first.
func (c *Client) Bookings(ctx context.Context, query url.Values) (Page[Booking], error) {
	return get[Page[Booking]](ctx, c, "/bookings", query)
}

// CancelBooking gives a booking's seats back.
func (c *Client) CancelBooking(ctx context.Context, id string) (Booking, error) {
	return post[Booking](ctx, c, "/bookings/"+id+"/cancel", nil, "")
}

// Tickets reads a confirmed booking's tickets.
func (c *Client) Tickets(ctx context.Context, bookingID string) ([]Ticket, error) {
	page, err := get[Page[Ticket]](ctx, c, "/bookings/"+bookingID+"/tickets", nil)
	return page.Items, err
}

// Pay starts a payment; key may be empty.
func (c *Client) Pay(ctx context.Context, bookingID, method, key string) (Payment, error) {
	return post[Payment](ctx, c, "/payments", map[string]string{"booking_id": bookingID, "payment_method": method}, key)
}

// Payment reads one of one's own payments.
func (c *Client) Payment(ctx context.Context, id string) (Payment, error) {
	return get[Payment](ctx, c, "/payments/"+id, nil)
}

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var out T
	err := c.call(ctx, Request{Method: http.MethodGet, Path: path, Query: query}, &out)
	return out, err
}

func post[T any](ctx context.Context, c *Client, path string, body any, key string) (T, error) {
	var out T
	err := c.call(ctx, Request{Method: http.MethodPost, Path: path, Body: body, Header: keyed(key)}, &out)
	return out, err
}
