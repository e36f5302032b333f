// Package route is the table of what the gateway lets through, and how.
package route

import (
	"net/http"
	"slices"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// Services behind the gateway, by their names at Consul.
const (
	Auth    = "auth-service"
	Event   = "event-service"
	Booking = "booking-service"
	Payment = "payment-service"
)

// Services are all of them.
var Services = []string{Auth, Event, Booking, Payment}

// Access says what a route asks of the caller.
type Access int

// Accesses.
const (
	// Public routes have nothing to do with the caller: a session is not even looked at.
	Public Access = iota
	// Optional routes know the caller if there is a session.
	Optional
	// Session routes are for those who are logged in.
	Session
)

// Key says by what requests of a route stay together on one replica.
type Key int

// Keys.
const (
	// NoKey sends each request to the least loaded replica.
	NoKey Key = iota
	// ByEvent sends requests for one event to the replica that owns it. The
	// path's first variable is the id of the event or of one of its bookings.
	ByEvent
	// ByBody does the same by the body's event_id.
	ByBody
)

// Route is one method on one path.
type Route struct {
	Method string
	// Path is a template, with variables as {id}.
	Path    string
	Service string
	Access  Access
	// Roles, if any, are those that may call it.
	Roles []identity.Role
	Key   Key
	// BodyLimit is in bytes.
	BodyLimit int64
	// Timeout is how long one attempt may take until its answer begins.
	Timeout time.Duration
	// Retry allows another attempt after one that may have had its effect.
	Retry bool
	// Stream marks an answer without an end.
	Stream bool
	// View marks what is kept to be shown while the service is down. Params are the
	// parameters of its query; others are left out.
	View   bool
	Params []string
	// SeesSession routes get the session id itself, to end it.
	SeesSession bool
}

const (
	smallBody = 64 << 10
	eventBody = 256 << 10
	venueBody = 16 << 20

	quick = 5 * time.Second
	// hashing waits for its turn at the passwords.
	hashing = 12 * time.Second
	// booking commits through Paxos, and resolves what is unknown.
	booking = 12 * time.Second
	// paying may have to ask for the booking.
	paying = 10 * time.Second
	upload = 25 * time.Second
)

var organizers = []identity.Role{identity.Organizer, identity.Admin}

// Table has every route, those asked for most first.
var Table = []Route{
	{Method: http.MethodPost, Path: "/api/v1/bookings", Service: Booking, Access: Session, Key: ByBody, BodyLimit: eventBody, Timeout: booking},
	{Method: http.MethodGet, Path: "/api/v1/events/{id}/seats", Service: Booking, Key: ByEvent, Timeout: quick, Retry: true},
	{Method: http.MethodGet, Path: "/api/v1/bookings/{id}", Service: Booking, Access: Session, Key: ByEvent, Timeout: quick, Retry: true},
	{Method: http.MethodGet, Path: "/api/v1/events/{id}", Service: Event, Access: Optional, Timeout: quick, Retry: true, View: true},
	{
		Method: http.MethodGet, Path: "/api/v1/events", Service: Event, Access: Optional, Timeout: quick, Retry: true,
		View: true, Params: []string{"q", "from", "to", "mine", "cursor", "limit"},
	},
	{Method: http.MethodPost, Path: "/api/v1/payments", Service: Payment, Access: Session, BodyLimit: smallBody, Timeout: paying},
	{Method: http.MethodGet, Path: "/api/v1/payments/{id}", Service: Payment, Access: Session, Timeout: quick, Retry: true},
	{Method: http.MethodGet, Path: "/api/v1/bookings", Service: Booking, Access: Session, Timeout: quick, Retry: true},
	{Method: http.MethodGet, Path: "/api/v1/bookings/{id}/tickets", Service: Booking, Access: Session, Key: ByEvent, Timeout: quick, Retry: true},
	{Method: http.MethodPost, Path: "/api/v1/bookings/{id}/cancel", Service: Booking, Access: Session, Key: ByEvent, BodyLimit: smallBody, Timeout: booking},
	{Method: http.MethodGet, Path: "/api/v1/events/{id}/seats/stream", Service: Booking, Key: ByEvent, Timeout: quick, Retry: true, Stream: true},
	{Method: http.MethodGet, Path: "/api/v1/venues/{id}", Service: Event, Access: Optional, Timeout: quick, Retry: true, View: true},

	{Method: http.MethodGet, Path: "/api/v1/auth/me", Service: Auth, Access: Session, Timeout: quick, Retry: true},
	{Method: http.MethodPost, Path: "/api/v1/auth/login", Service: Auth, BodyLimit: smallBody, Timeout: hashing},
	{Method: http.MethodPost, Path: "/api/v1/auth/register", Service: Auth, BodyLimit: smallBody, Timeout: hashing},
	{Method: http.MethodPost, Path: "/api/v1/auth/logout", Service: Auth, Access: Session, BodyLimit: smallBody, Timeout: quick, SeesSession: true},
	{Method: http.MethodPost, Path: "/api/v1/auth/logout-all", Service: Auth, Access: Session, BodyLimit: smallBody, Timeout: quick},
	{
		Method: http.MethodGet, Path: "/api/v1/auth/users", Service: Auth, Access: Session,
		Roles: []identity.Role{identity.Admin}, Timeout: quick, Retry: true,
	},
	{
		Method: http.MethodPut, Path: "/api/v1/auth/users/{id}/role", Service: Auth, Access: Session,
		Roles: []identity.Role{identity.Admin}, BodyLimit: smallBody, Timeout: quick, Retry: true,
	},

	{Method: http.MethodPost, Path: "/api/v1/venues", Service: Event, Access: Session, Roles: organizers, BodyLimit: venueBody, Timeout: upload},
	{Method: http.MethodGet, Path: "/api/v1/venues", Service: Event, Access: Session, Roles: organizers, Timeout: quick, Retry: true},
	{Method: http.MethodPost, Path: "/api/v1/events", Service: Event, Access: Session, Roles: organizers, BodyLimit: eventBody, Timeout: quick},
	{Method: http.MethodPatch, Path: "/api/v1/events/{id}", Service: Event, Access: Session, Roles: organizers, BodyLimit: eventBody, Timeout: quick},
	{Method: http.MethodDelete, Path: "/api/v1/events/{id}", Service: Event, Access: Session, Roles: organizers, BodyLimit: smallBody, Timeout: quick},
	{Method: http.MethodPost, Path: "/api/v1/events/{id}/publish", Service: Event, Access: Session, Roles: organizers, BodyLimit: smallBody, Timeout: quick},
	{Method: http.MethodPost, Path: "/api/v1/events/{id}/cancel", Service: Event, Access: Session, Roles: organizers, BodyLimit: smallBody, Timeout: quick},

	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/sales", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, Timeout: booking, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/attendees", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, Timeout: booking, Retry: true,
	},
	{
		// Once by the scan_id in the body, however often it is sent.
		Method: http.MethodPost, Path: "/api/v1/events/{id}/check-ins", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, BodyLimit: smallBody, Timeout: booking, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/check-ins", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, Timeout: quick, Retry: true,
	},
	{Method: http.MethodGet, Path: "/api/v1/tickets/keys", Service: Booking, Timeout: quick, Retry: true},

	// What the payment provider tells of a charge: it proves itself by a signature, and what it says twice counts once.
	{Method: http.MethodPost, Path: "/webhooks/psp", Service: Payment, BodyLimit: smallBody, Timeout: quick, Retry: true},
}

// Find returns a route of the table; it panics if there is none.
func Find(method, path string) *Route {
	i := slices.IndexFunc(Table, func(r Route) bool { return r.Method == method && r.Path == path })
	return &Table[i]
}
