// Package route holds the table of routes that the gateway serves.
package route

import (
	"net/http"
	"slices"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
)

// Services behind the gateway, by their Consul names.
const (
	Auth         = "auth-service"
	Event        = "event-service"
	Booking      = "booking-service"
	Payment      = "payment-service"
	Notification = "notification-service"
)

// Services lists all of them.
var Services = []string{Auth, Event, Booking, Payment, Notification}

// Access is the session that a route requires.
type Access int

// Values of Access.
const (
	// Public routes ignore the caller: the session is not looked up.
	Public Access = iota
	// Optional routes use the session if there is one.
	Optional
	// Session routes require a session.
	Session
)

// Key says which event a route's requests belong to, so that they go to the replica that owns it.
type Key int

// Values of Key.
const (
	// NoKey means no event: each request goes to the less busy of two random replicas.
	NoKey Key = iota
	// ByEvent takes the event from the path, whose first variable is the id of the event or of one of its
	// bookings.
	ByEvent
	// ByBody takes the event from the body's event_id.
	ByBody
)

// Route is one method on one path.
type Route struct {
	Method string
	// Path is a template with variables such as {id}.
	Path    string
	Service string
	Access  Access
	// Roles, if any, are the roles that may call the route.
	Roles []identity.Role
	Key   Key
	// BodyLimit is the maximum body size in bytes.
	BodyLimit int64
	// Timeout is how long one attempt may take until its response begins.
	Timeout time.Duration
	// Retry allows another attempt after one that may have taken effect.
	Retry bool
	// Stream marks an open-ended response.
	Stream bool
	// View marks responses that are cached for when the service is down. Params are the query parameters
	// passed on; others are dropped.
	View   bool
	Params []string
	// Admission requires an admission while the event's queue requires one: in the header Frontrow-Admission, or in
	// the query parameter admission of a stream.
	Admission bool
	// Device identifies the browser to the service.
	Device bool
	// PassSession passes the session id and cookies themselves, for routes that start, end or change the session.
	PassSession bool
}

const (
	smallBody = 64 << 10
	eventBody = 256 << 10
	venueBody = 16 << 20

	quick = 5 * time.Second
	// hashing includes the wait for a password-hashing slot.
	hashing = 12 * time.Second
	// booking commits through Paxos, and resolves unknown outcomes.
	booking = 12 * time.Second
	// fetching may have to fetch the booking from booking-service.
	fetching = 10 * time.Second
	upload   = 25 * time.Second
)

var organizers = []identity.Role{identity.Organizer, identity.Admin}

// Table has every route, the most frequent first.
var Table = []Route{
	{
		Method: http.MethodPost, Path: "/api/v1/bookings", Service: Booking, Access: Session, Key: ByBody,
		BodyLimit: eventBody, Timeout: booking, Admission: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/seats", Service: Booking, Key: ByEvent, Timeout: quick,
		Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/bookings/{id}", Service: Booking, Access: Session, Key: ByEvent,
		Timeout: quick, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}", Service: Event, Access: Optional, Timeout: quick,
		Retry: true, View: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events", Service: Event, Access: Optional, Timeout: quick, Retry: true,
		View: true, Params: []string{"q", "from", "to", "mine", "cursor", "limit"},
	},
	{
		Method: http.MethodPost, Path: "/api/v1/payments", Service: Payment, Access: Session, BodyLimit: smallBody,
		Timeout: fetching,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/payments/{id}", Service: Payment, Access: Session, Timeout: quick,
		Retry: true,
	},
	{Method: http.MethodGet, Path: "/api/v1/bookings", Service: Booking, Access: Session, Timeout: quick, Retry: true},
	{
		Method: http.MethodGet, Path: "/api/v1/bookings/{id}/tickets", Service: Booking, Access: Session,
		Key: ByEvent, Timeout: quick, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/bookings/{id}/tickets.pdf", Service: Notification, Access: Session,
		Timeout: fetching, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/bookings/{id}/calendar.ics", Service: Notification, Access: Session,
		Timeout: fetching, Retry: true,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/bookings/{id}/cancel", Service: Booking, Access: Session,
		Key: ByEvent, BodyLimit: smallBody, Timeout: booking,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/seats/stream", Service: Booking, Access: Optional,
		Key: ByEvent, Timeout: quick, Retry: true, Stream: true, Admission: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/queue/stream", Service: Booking, Key: ByEvent,
		Timeout: quick, Retry: true, Stream: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/queue", Service: Booking, Key: ByEvent, Timeout: quick,
		Retry: true,
	},
	{
		Method: http.MethodPut, Path: "/api/v1/events/{id}/queue/place", Service: Booking, Access: Session,
		Key: ByEvent, BodyLimit: smallBody, Timeout: booking, Retry: true, Device: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/queue/place", Service: Booking, Access: Session,
		Key: ByEvent, Timeout: quick, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/queue/challenge", Service: Booking, Access: Session,
		Key: ByEvent, Timeout: quick, Retry: true,
	},
	{
		Method: http.MethodDelete, Path: "/api/v1/events/{id}/queue/place", Service: Booking, Access: Session,
		Key: ByEvent, BodyLimit: smallBody, Timeout: booking, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/venues/{id}", Service: Event, Access: Optional, Timeout: quick,
		Retry: true, View: true,
	},

	{Method: http.MethodGet, Path: "/api/v1/auth/me", Service: Auth, Access: Session, Timeout: quick, Retry: true},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/login", Service: Auth, BodyLimit: smallBody, Timeout: hashing,
		PassSession: true,
	},
	{Method: http.MethodPost, Path: "/api/v1/auth/register", Service: Auth, BodyLimit: smallBody, Timeout: hashing},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/logout", Service: Auth, Access: Session, BodyLimit: smallBody,
		Timeout: quick, PassSession: true,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/logout-all", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: quick,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/reauthenticate", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: hashing, PassSession: true,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/verification", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: quick,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/verification/confirm", Service: Auth, BodyLimit: smallBody,
		Timeout: quick,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/password-reset", Service: Auth, BodyLimit: smallBody,
		Timeout: quick,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/password-reset/confirm", Service: Auth,
		BodyLimit: smallBody, Timeout: hashing,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/email-change/confirm", Service: Auth, BodyLimit: smallBody,
		Timeout: quick,
	},
	{
		Method: http.MethodPatch, Path: "/api/v1/auth/me", Service: Auth, Access: Session, BodyLimit: smallBody,
		Timeout: quick,
	},
	{
		Method: http.MethodDelete, Path: "/api/v1/auth/me", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: quick, PassSession: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/auth/me/export", Service: Auth, Access: Session, Timeout: quick,
		Retry: true,
	},
	{
		Method: http.MethodPut, Path: "/api/v1/auth/me/password", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: hashing, PassSession: true,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/me/email", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: quick,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/me/second-factor", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: quick,
	},
	{
		Method: http.MethodDelete, Path: "/api/v1/auth/me/second-factor", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: quick, PassSession: true,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/me/second-factor/confirm", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: quick, PassSession: true,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/auth/me/recovery-codes", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: quick,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/auth/me/sessions", Service: Auth, Access: Session,
		Timeout: quick, Retry: true, PassSession: true,
	},
	{
		Method: http.MethodDelete, Path: "/api/v1/auth/me/sessions/{id}", Service: Auth, Access: Session,
		BodyLimit: smallBody, Timeout: quick,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/auth/users", Service: Auth, Access: Session,
		Roles: []identity.Role{identity.Admin}, Timeout: quick, Retry: true,
	},
	{
		Method: http.MethodPut, Path: "/api/v1/auth/users/{id}/role", Service: Auth, Access: Session,
		Roles: []identity.Role{identity.Admin}, BodyLimit: smallBody, Timeout: quick, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/auth/audit", Service: Auth, Access: Session,
		Roles: []identity.Role{identity.Admin}, Timeout: quick, Retry: true,
	},

	{
		Method: http.MethodPost, Path: "/api/v1/venues", Service: Event, Access: Session, Roles: organizers,
		BodyLimit: venueBody, Timeout: upload,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/venues", Service: Event, Access: Session, Roles: organizers,
		Timeout: quick, Retry: true,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/events", Service: Event, Access: Session, Roles: organizers,
		BodyLimit: eventBody, Timeout: quick,
	},
	{
		Method: http.MethodPatch, Path: "/api/v1/events/{id}", Service: Event, Access: Session, Roles: organizers,
		BodyLimit: eventBody, Timeout: quick,
	},
	{
		Method: http.MethodDelete, Path: "/api/v1/events/{id}", Service: Event, Access: Session, Roles: organizers,
		BodyLimit: smallBody, Timeout: quick,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/events/{id}/publish", Service: Event, Access: Session,
		Roles: organizers, BodyLimit: smallBody, Timeout: quick,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/events/{id}/cancel", Service: Event, Access: Session,
		Roles: organizers, BodyLimit: smallBody, Timeout: quick,
	},

	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/sales", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, Timeout: booking, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/attendees", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, Timeout: booking, Retry: true,
	},
	{
		// Idempotent by the scan_id in the body.
		Method: http.MethodPost, Path: "/api/v1/events/{id}/check-ins", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, BodyLimit: smallBody, Timeout: booking, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/check-ins", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, Timeout: quick, Retry: true,
	},
	{
		Method: http.MethodGet, Path: "/api/v1/events/{id}/queue/report", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, Timeout: quick, Retry: true,
	},
	{
		Method: http.MethodPut, Path: "/api/v1/events/{id}/queue/control", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, BodyLimit: smallBody, Timeout: booking, Retry: true,
	},
	{
		Method: http.MethodPost, Path: "/api/v1/events/{id}/queue/invite-codes", Service: Booking, Access: Session,
		Roles: organizers, Key: ByEvent, BodyLimit: smallBody, Timeout: booking,
	},
	{Method: http.MethodGet, Path: "/api/v1/tickets/keys", Service: Booking, Timeout: quick, Retry: true},

	// The payment provider's webhooks authenticate with a signature; duplicates have no effect.
	{
		Method: http.MethodPost, Path: "/webhooks/psp", Service: Payment, BodyLimit: smallBody, Timeout: quick,
		Retry: true,
	},
}

// Find returns a route of the table; it panics if there is none.
func Find(method, path string) *Route {
	i := slices.IndexFunc(Table, func(r Route) bool { return r.Method == method && r.Path == path })
	return &Table[i]
}
