package client

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// Register creates an account. An e-mail that has one gets the same response.
func (c *Client) Register(ctx context.Context, email, password, name string) error {
	return c.call(ctx, Request{
		Method: http.MethodPost, Path: "/auth/register",
		Body: Registration{Email: email, Password: password, Name: name},
	}, nil)
}

// Login opens a session but does not use it; see WithSession.
func (c *Client) Login(ctx context.Context, email, password string) (Session, error) {
	return post[Session](ctx, c, "/auth/login", Credentials{Email: email, Password: password, Session: CredentialsSessionToken}, "")
}

// Logout ends the session. With everywhere set, it ends all sessions of the
// account.
func (c *Client) Logout(ctx context.Context, everywhere bool) error {
	path := "/auth/logout"
	if everywhere {
		path = "/auth/logout-all"
	}
	return c.call(ctx, Request{Method: http.MethodPost, Path: path}, nil)
}

// Me returns the session's account.
func (c *Client) Me(ctx context.Context) (User, error) { return get[User](ctx, c, "/auth/me", nil) }

// Users searches accounts; query may have q, cursor and limit.
func (c *Client) Users(ctx context.Context, query url.Values) (UserPage, error) {
	return get[UserPage](ctx, c, "/auth/users", query)
}

// SetRole gives an account a role and ends its sessions.
func (c *Client) SetRole(ctx context.Context, userID, role string) (User, error) {
	var user User
	err := c.call(ctx, Request{Method: http.MethodPut, Path: "/auth/users/" + userID + "/role", Body: RoleChange{Role: role}}, &user)
	return user, err
}

// AuditEntries reads the audit log, newest first; query may have actor, action,
// from, to, cursor and limit.
func (c *Client) AuditEntries(ctx context.Context, query url.Values) (AuditPage, error) {
	return get[AuditPage](ctx, c, "/auth/audit", query)
}

// CreateVenue creates a venue.
func (c *Client) CreateVenue(ctx context.Context, v NewVenue) (Venue, error) {
	return post[Venue](ctx, c, "/venues", v, "")
}

// Venue reads a venue.
func (c *Client) Venue(ctx context.Context, id string) (Venue, error) {
	return get[Venue](ctx, c, "/venues/"+id, nil)
}

// Venues lists the caller's own venues, newest first; query may have cursor and
// limit.
func (c *Client) Venues(ctx context.Context, query url.Values) (VenuePage, error) {
	return get[VenuePage](ctx, c, "/venues", query)
}

// CreateEvent creates a draft.
func (c *Client) CreateEvent(ctx context.Context, e NewEvent) (Event, error) {
	return post[Event](ctx, c, "/events", e, "")
}

// Event reads an event.
func (c *Client) Event(ctx context.Context, id string) (Event, error) {
	return get[Event](ctx, c, "/events/"+id, nil)
}

// Events lists events; query may have q, from, to, mine, cursor and limit.
func (c *Client) Events(ctx context.Context, query url.Values) (EventPage, error) {
	return get[EventPage](ctx, c, "/events", query)
}

// PatchEvent changes fields of an event if it is still at version.
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
	return post[Event](ctx, c, "/events/"+id+"/cancel", Cancellation{Reason: reason}, "")
}

// Seats reads the snapshot of an event's seats.
func (c *Client) Seats(ctx context.Context, eventID string) (Availability, error) {
	return get[Availability](ctx, c, "/events/"+eventID+"/seats", nil)
}

// Sales reads an event's sales report.
func (c *Client) Sales(ctx context.Context, eventID string) (Sales, error) {
	return get[Sales](ctx, c, "/events/"+eventID+"/sales", nil)
}

// Attendees lists the ticket holders; query may have cursor and limit.
func (c *Client) Attendees(ctx context.Context, eventID string, query url.Values) (AttendeePage, error) {
	return get[AttendeePage](ctx, c, "/events/"+eventID+"/attendees", query)
}

// AttendeesCSV lists all ticket holders. The first line names the columns.
func (c *Client) AttendeesCSV(ctx context.Context, eventID string) ([][]string, error) {
	r := Request{Method: http.MethodGet, Path: "/events/" + eventID + "/attendees", Header: http.Header{"Accept": {"text/csv"}}}
	resp, err := c.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		return nil, problemOf(r, resp)
	}
	return csv.NewReader(bytes.NewReader(resp.Body)).ReadAll()
}

// CheckInResult is the answer to a scan. Replayed means that it is that of an
// earlier request.
type CheckInResult struct {
	Scan
	Replayed bool `json:"-"`
}

// CheckIn sends a scan of a ticket's code; scanID is a UUIDv7.
func (c *Client) CheckIn(ctx context.Context, eventID, scanID, code string) (CheckInResult, error) {
	r := Request{Method: http.MethodPost, Path: "/events/" + eventID + "/check-ins", Body: NewScan{ScanID: scanID, Code: code}}
	resp, err := c.Do(ctx, r)
	if err != nil {
		return CheckInResult{}, err
	}
	if resp.Status != http.StatusOK {
		return CheckInResult{}, problemOf(r, resp)
	}
	result := CheckInResult{Replayed: resp.Header.Get("Idempotency-Replayed") == "true"}
	return result, json.Unmarshal(resp.Body, &result)
}

// Scans reads an event's check-in log, newest first; query may have cursor and
// limit.
func (c *Client) Scans(ctx context.Context, eventID string, query url.Values) (ScanPage, error) {
	return get[ScanPage](ctx, c, "/events/"+eventID+"/check-ins", query)
}

// TicketKeys reads the keys that verify tickets; the key for new tickets is
// first.
func (c *Client) TicketKeys(ctx context.Context) ([]TicketKey, error) {
	set, err := get[TicketKeys](ctx, c, "/tickets/keys", nil)
	return set.Keys, err
}

// Hold books seats; key may be empty.
func (c *Client) Hold(ctx context.Context, b NewBooking, key string) (Booking, error) {
	return post[Booking](ctx, c, "/bookings", b, key)
}

// SeatIDs returns the ids of a booking's seats, in the booking's order.
func (b Booking) SeatIDs() []string {
	var ids []string
	for _, s := range b.Seats {
		ids = append(ids, s.ID)
	}
	return ids
}

// Booking reads one of the caller's bookings.
func (c *Client) Booking(ctx context.Context, id string) (Booking, error) {
	return get[Booking](ctx, c, "/bookings/"+id, nil)
}

// Bookings lists the caller's bookings, newest first.
func (c *Client) Bookings(ctx context.Context, query url.Values) (BookingPage, error) {
	return get[BookingPage](ctx, c, "/bookings", query)
}

// CancelBooking cancels a booking and frees its seats.
func (c *Client) CancelBooking(ctx context.Context, id string) (Booking, error) {
	return post[Booking](ctx, c, "/bookings/"+id+"/cancel", nil, "")
}

// Tickets reads a confirmed booking's tickets.
func (c *Client) Tickets(ctx context.Context, bookingID string) ([]Ticket, error) {
	tickets, err := get[Tickets](ctx, c, "/bookings/"+bookingID+"/tickets", nil)
	return tickets.Items, err
}

// Pay starts a payment; key may be empty. If the caller's e-mail must be verified
// first and the system has a mail catcher, it does so.
func (c *Client) Pay(ctx context.Context, bookingID, method, key string) (Payment, error) {
	pay := func() (Payment, error) {
		return post[Payment](ctx, c, "/payments", NewPayment{BookingID: bookingID, PaymentMethod: method}, key)
	}
	payment, err := pay()
	if !isUnverified(err) || mailCatcher() == "" {
		return payment, err
	}
	if err := c.Verify(ctx); err != nil {
		return payment, fmt.Errorf("verify e-mail before payment: %w", err)
	}
	// The gateways hear of the verification a moment later.
	for tries := 0; isUnverified(err) && tries < 100 && clock.Sleep(ctx, 50*time.Millisecond); tries++ {
		payment, err = pay()
	}
	return payment, err
}

func isUnverified(err error) bool {
	p := AsProblem(err)
	return p != nil && p.Code == "email_not_verified"
}

// Verify verifies the caller's e-mail with the link in the mail catcher. It does
// nothing if the e-mail is verified.
func (c *Client) Verify(ctx context.Context) error {
	me, err := c.Me(ctx)
	if err != nil || me.EmailVerified {
		return err
	}
	token, err := MailedToken(ctx, me.Email, "/verify#token=")
	if err != nil {
		return err
	}
	return c.call(ctx, Request{Method: http.MethodPost, Path: "/auth/verification/confirm", Body: Token{Token: token}}, nil)
}

// Payment reads one of the caller's payments.
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
