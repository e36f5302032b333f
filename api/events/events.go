// Package events defines the messages that services exchange over Kafka. Each
// is the JSON data of a CloudEvents 1.0 message. The schemas beside this file
// define the same messages for consumers in other languages.
package events

import (
	"time"

	"github.com/google/uuid"
)

// Topics and the keys that order their messages.
const (
	TopicBookingCreated    = "booking_created"    // key: booking id
	TopicBookingConfirmed  = "booking_confirmed"  // key: booking id
	TopicBookingCancelled  = "booking_cancelled"  // key: booking id
	TopicPaymentProcessed  = "payment_processed"  // key: booking id
	TopicEventChanged      = "event_changed"      // key: event id
	TopicEventAvailability = "event_availability" // key: event id
	TopicAccountMail       = "account_mail"       // key: user id
	TopicAudit             = "audit"              // key: actor's or subject's id
)

// CloudEvents types.
const (
	TypeBookingCreated    = "frontrow.booking.created.v1"
	TypeBookingConfirmed  = "frontrow.booking.confirmed.v1"
	TypeBookingCancelled  = "frontrow.booking.cancelled.v1"
	TypePaymentConfirmed  = "frontrow.payment.confirmed.v1"
	TypePaymentFailed     = "frontrow.payment.failed.v1"
	TypePaymentRefunded   = "frontrow.payment.refunded.v1"
	TypeEventChanged      = "frontrow.event.changed.v1"
	TypeEventAvailability = "frontrow.event.availability.v1"
	TypeAccountMail       = "frontrow.account.mail.v1"
	TypeAuditEntry        = "frontrow.audit.entry.v1"
)

// HeldBookings is the path prefix at which booking-service serves the
// BookingCreated of a held booking, by booking id, to callers that carry its
// buyer's identity. A booking that has ended is refused with
// booking_not_payable.
const HeldBookings = "/internal/v1/held-bookings/"

// BookingRecords is the path prefix at which booking-service serves the
// BookingRecord of any booking, by booking id, to services.
const BookingRecords = "/internal/v1/bookings/"

// Accounts is the path prefix at which auth-service serves an Account, by user
// id, to services. A deleted account is not found.
const Accounts = "/internal/v1/accounts/"

// Money is an amount in minor units (cents) of an ISO 4217 currency.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// BookingCreated tells payment-service what may be paid, by whom and until
// when.
type BookingCreated struct {
	BookingID uuid.UUID `json:"booking_id"`
	EventID   uuid.UUID `json:"event_id"`
	UserID    uuid.UUID `json:"user_id"`
	Total     Money     `json:"total"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// BookingConfirmed says that a booking was paid and its seats are sold.
type BookingConfirmed struct {
	BookingID   uuid.UUID       `json:"booking_id"`
	OrderNumber string          `json:"order_number"`
	EventID     uuid.UUID       `json:"event_id"`
	UserID      uuid.UUID       `json:"user_id"`
	PaymentID   uuid.UUID       `json:"payment_id"`
	Total       Money           `json:"total"`
	Seats       []ConfirmedSeat `json:"seats"`
	ConfirmedAt time.Time       `json:"confirmed_at"`
}

// ConfirmedSeat describes a sold seat as the buyer sees it.
type ConfirmedSeat struct {
	// ID is the seat's id in the API, such as 12-45.
	ID      string `json:"id"`
	Section string `json:"section"`
	// Row is empty in a standing area.
	Row string `json:"row"`
	// Number is the seat number printed on the ticket.
	Number string `json:"number"`
	// TicketType is the ticket type's name.
	TicketType string `json:"ticket_type"`
	// Price is in minor units of the total's currency.
	Price int64 `json:"price"`
}

// CancelReason says why a booking ended.
type CancelReason string

// Reasons of BookingCancelled.
const (
	CancelledByBuyer CancelReason = "cancelled_by_buyer"
	EventCancelled   CancelReason = "event_cancelled"
	HoldExpired      CancelReason = "expired"
	PaymentDeclined  CancelReason = "payment_failed"
	// PaymentLate is the reason sent when a capture arrives after the booking
	// ended.
	PaymentLate CancelReason = "payment_late"
)

// BookingCancelled tells payment-service that a booking has ended: no payment
// may start, and anything captured must be refunded.
type BookingCancelled struct {
	BookingID   uuid.UUID    `json:"booking_id"`
	EventID     uuid.UUID    `json:"event_id"`
	UserID      uuid.UUID    `json:"user_id"`
	Reason      CancelReason `json:"reason"`
	CancelledAt time.Time    `json:"cancelled_at"`
}

// PaymentConfirmed says that the price of a booking was captured.
type PaymentConfirmed struct {
	PaymentID  uuid.UUID `json:"payment_id"`
	BookingID  uuid.UUID `json:"booking_id"`
	EventID    uuid.UUID `json:"event_id"`
	Amount     Money     `json:"amount"`
	CapturedAt time.Time `json:"captured_at"`
}

// PaymentFailed says that one payment attempt was declined. The hold stays.
type PaymentFailed struct {
	PaymentID   uuid.UUID `json:"payment_id"`
	BookingID   uuid.UUID `json:"booking_id"`
	EventID     uuid.UUID `json:"event_id"`
	FailureCode string    `json:"failure_code"`
	FailedAt    time.Time `json:"failed_at"`
}

// PaymentRefunded says that a captured payment was refunded in full.
type PaymentRefunded struct {
	PaymentID  uuid.UUID    `json:"payment_id"`
	BookingID  uuid.UUID    `json:"booking_id"`
	EventID    uuid.UUID    `json:"event_id"`
	Amount     Money        `json:"amount"`
	Reason     CancelReason `json:"reason"`
	RefundedAt time.Time    `json:"refunded_at"`
}

// EventStatus is a published event's state as booking-service needs it.
type EventStatus string

// Statuses of EventChanged.
const (
	StatusPublished EventStatus = "published"
	StatusCancelled EventStatus = "cancelled"
)

// EventChanged carries the full state of an event that went on sale, was
// changed while on sale, or was cancelled. Version orders the messages of one
// event.
type EventChanged struct {
	EventID          uuid.UUID   `json:"event_id"`
	Version          int64       `json:"version"`
	Status           EventStatus `json:"status"`
	OrganizerID      uuid.UUID   `json:"organizer_id"`
	Name             string      `json:"name"`
	VenueName        string      `json:"venue_name"`
	TimeZone         string      `json:"time_zone"`
	StartsAt         time.Time   `json:"starts_at"`
	EndsAt           time.Time   `json:"ends_at"`
	Currency         string      `json:"currency"`
	SaleStartsAt     time.Time   `json:"sale_starts_at"`
	SaleEndsAt       time.Time   `json:"sale_ends_at"`
	MaxSeatsPerBuyer int         `json:"max_seats_per_buyer"`
	HoldSeconds      int         `json:"hold_seconds"`
	// Queue is absent in messages from before there were queues.
	Queue       Queue        `json:"queue,omitzero"`
	TicketTypes []TicketType `json:"ticket_types"`
	// Blocks is the seat plan; block i has number i+1. It never changes once
	// the event is published.
	Blocks []Block `json:"blocks"`
}

// QueueMode says when an event has a queue.
type QueueMode string

// Modes of a Queue.
const (
	QueueOff       QueueMode = "off"
	QueueAutomatic QueueMode = "automatic"
	QueueAlways    QueueMode = "always"
)

// Queue has the settings of an event's queue.
type Queue struct {
	Mode QueueMode `json:"mode"`
	// OpensBeforeSeconds is how long before the sale the pre-queue opens.
	OpensBeforeSeconds int `json:"opens_before_seconds"`
	// AdmissionSeconds is how long an admission lasts.
	AdmissionSeconds int `json:"admission_seconds"`
}

// TicketType is the price of one category of seats.
type TicketType struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Category string `json:"category"`
	// Price in minor units of the event's currency.
	Price int64 `json:"price"`
}

// Block is a group of neighbouring seats, some hundred, up to 2,000 in a large
// venue: whole rows, or units of one general-admission area.
type Block struct {
	// Section is the display name of the section or area. Rows may override it.
	Section string `json:"section"`
	// GeneralAdmission marks a block of unnumbered units; Rows then has one
	// entry.
	GeneralAdmission bool  `json:"general_admission,omitempty"`
	Rows             []Row `json:"rows"`
}

// Row is a run of neighbouring seats. A seat's index in its block counts
// through the rows in order.
type Row struct {
	// Section is empty when it equals the block's.
	Section string `json:"section,omitempty"`
	Label   string `json:"label"`
	// Numbers are the seat numbers printed on tickets. When they are
	// consecutive integers only First is set and Numbers is empty.
	First   int      `json:"first,omitempty"`
	Numbers []string `json:"numbers,omitempty"`
	// Runs lists runs of seats of one category, in order; their counts add up
	// to the row's length.
	Runs []Run `json:"runs"`
	// Blocked and Accessible list offsets in the row.
	Blocked    []int `json:"blocked,omitempty"`
	Accessible []int `json:"accessible,omitempty"`
}

// Run is a number of neighbouring seats of one category.
type Run struct {
	Category string `json:"category"`
	Count    int    `json:"count"`
}

// EventAvailability counts an event's seats. The newest message wins.
type EventAvailability struct {
	EventID   uuid.UUID `json:"event_id"`
	Available int       `json:"available"`
	Held      int       `json:"held"`
	Sold      int       `json:"sold"`
	Total     int       `json:"total"`
	At        time.Time `json:"at"`
}

// BookingRecord is what a mail or a printed ticket says of a booking.
type BookingRecord struct {
	BookingID   uuid.UUID `json:"booking_id"`
	OrderNumber string    `json:"order_number"`
	UserID      uuid.UUID `json:"user_id"`
	// Status is the booking's status in the API, such as confirmed.
	Status string `json:"status"`
	// ExpiresAt is the deadline of a held booking.
	ExpiresAt time.Time `json:"expires_at"`
	Total     Money     `json:"total"`
	// Tickets has one entry per seat. A booking that has ended has none.
	Tickets []TicketRecord `json:"tickets"`
	EventID uuid.UUID      `json:"event_id"`
	// EventVersion is the version of the last EventChanged.
	EventVersion int64 `json:"event_version"`
	// EventName and the following describe the event as it is now.
	EventName string    `json:"event_name"`
	VenueName string    `json:"venue_name"`
	TimeZone  string    `json:"time_zone"`
	StartsAt  time.Time `json:"starts_at"`
	EndsAt    time.Time `json:"ends_at"`
}

// TicketRecord is one seat of a BookingRecord.
type TicketRecord struct {
	ConfirmedSeat
	// Code is the signed text of the ticket's QR code. It is empty unless the
	// booking is confirmed.
	Code string `json:"code,omitempty"`
}

// Account is a person to whom a service sends mail.
type Account struct {
	UserID uuid.UUID `json:"user_id"`
	Email  string    `json:"email"`
	Name   string    `json:"name"`
	// Language is en or de.
	Language string `json:"language"`
}

// MailKind says what a mail of auth-service is about.
type MailKind string

// Kinds of AccountMail.
const (
	// MailVerifyEmail has the token of a new account's e-mail.
	MailVerifyEmail MailKind = "verify_email"
	// MailAlreadyRegistered says that somebody tried to register the account's
	// e-mail again.
	MailAlreadyRegistered MailKind = "already_registered"
	MailResetPassword     MailKind = "reset_password"
	// MailConfirmOldEmail and MailConfirmNewEmail have the tokens of an e-mail
	// change, for the old and the new e-mail.
	MailConfirmOldEmail     MailKind = "confirm_old_email"
	MailConfirmNewEmail     MailKind = "confirm_new_email"
	MailPasswordChanged     MailKind = "password_changed"
	MailEmailChanged        MailKind = "email_changed"
	MailSecondFactorChanged MailKind = "second_factor_changed"
	MailAccountDeleted      MailKind = "account_deleted"
)

// AccountMail asks notification-service to send one mail about an account.
type AccountMail struct {
	// ID makes the mail unique: a message with a known ID is a duplicate.
	ID   uuid.UUID `json:"id"`
	Kind MailKind  `json:"kind"`
	// Account is the recipient. Its e-mail may differ from the account's.
	Account Account `json:"account"`
	// Token is the secret of the mail's link, valid until ExpiresAt. Both are
	// absent in a notice.
	Token     string    `json:"token,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// NewEmail is the e-mail that a change is about.
	NewEmail    string    `json:"new_email,omitempty"`
	RequestedAt time.Time `json:"requested_at"`
}

// AuditEntry records who did what, when and from where. Its members are those
// of the API's AuditEntry.
type AuditEntry struct {
	ID     uuid.UUID `json:"id"`
	At     time.Time `json:"at"`
	Action string    `json:"action"`
	// ActorID is absent if nobody is logged in, or if the system acted.
	ActorID    uuid.UUID         `json:"actor_id,omitzero"`
	ActorEmail string            `json:"actor_email,omitempty"`
	Subject    string            `json:"subject,omitempty"`
	Address    string            `json:"address,omitempty"`
	UserAgent  string            `json:"user_agent,omitempty"`
	Details    map[string]string `json:"details,omitempty"`
}
