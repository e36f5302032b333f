package client

import "time"

// Money is an amount in minor units.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// User is an account.
type User struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
}

// Session is the response to a log-in.
type Session struct {
	SessionID string    `json:"session_id"`
	ExpiresAt time.Time `json:"expires_at"`
	User      User      `json:"user"`
}

// Venue is a place with its seat plan; the service sets ids and blocks.
type Venue struct {
	ID         string     `json:"id,omitempty"`
	Name       string     `json:"name"`
	City       string     `json:"city"`
	TimeZone   string     `json:"time_zone"`
	Categories []Category `json:"categories"`
	Sections   []Section  `json:"sections"`
	Areas      []Area     `json:"areas"`
}

// VenueSummary is a venue in the list of the caller's own.
type VenueSummary struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	SeatCount  int        `json:"seat_count"`
	Categories []Category `json:"categories"`
	CreatedAt  time.Time  `json:"created_at"`
}

// Category is a price category.
type Category struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Section is a section with rows of seats.
type Section struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Rows   []Row    `json:"rows"`
	Blocks []string `json:"blocks,omitempty"`
}

// Row is a row of neighbouring seats.
type Row struct {
	Label    string `json:"label"`
	Category string `json:"category,omitempty"`
	Seats    []Seat `json:"seats"`
}

// Seat is one seat of a plan.
type Seat struct {
	ID         string  `json:"id,omitempty"`
	Number     string  `json:"number"`
	X          float64 `json:"x"`
	Y          float64 `json:"y"`
	Category   string  `json:"category,omitempty"`
	Accessible bool    `json:"accessible,omitempty"`
	Blocked    bool    `json:"blocked,omitempty"`
}

// Area is a standing area.
type Area struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Category string   `json:"category"`
	Capacity int      `json:"capacity"`
	X        float64  `json:"x"`
	Y        float64  `json:"y"`
	Blocks   []string `json:"blocks,omitempty"`
}

// NewEvent is an organizer's description of an event.
type NewEvent struct {
	Name             string          `json:"name"`
	Description      string          `json:"description,omitempty"`
	VenueID          string          `json:"venue_id"`
	StartsAt         time.Time       `json:"starts_at"`
	EndsAt           time.Time       `json:"ends_at"`
	TimeZone         string          `json:"time_zone"`
	Currency         string          `json:"currency"`
	TicketTypes      []NewTicketType `json:"ticket_types"`
	SaleStartsAt     time.Time       `json:"sale_starts_at"`
	SaleEndsAt       time.Time       `json:"sale_ends_at"`
	MaxSeatsPerBuyer int             `json:"max_seats_per_buyer,omitempty"`
	HoldSeconds      int             `json:"hold_seconds,omitempty"`
}

// NewTicketType sets the price of a category, in minor units.
type NewTicketType struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Price    int64  `json:"price"`
}

// Event is an event as shown to the caller.
type Event struct {
	ID               string       `json:"id"`
	Name             string       `json:"name"`
	Status           string       `json:"status"`
	Version          int64        `json:"version"`
	Currency         string       `json:"currency"`
	TicketTypes      []TicketType `json:"ticket_types"`
	MaxSeatsPerBuyer int          `json:"max_seats_per_buyer"`
	HoldSeconds      int          `json:"hold_seconds"`
	StartsAt         time.Time    `json:"starts_at"`
}

// TicketType is a ticket type as shown to the caller.
type TicketType struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Kind     string `json:"kind"`
	Price    Money  `json:"price"`
}

// Availability is the state of every seat.
type Availability struct {
	EventID string        `json:"event_id"`
	Version int64         `json:"version"`
	Blocks  []BlockStates `json:"blocks"`
}

// BlockStates has one character per seat: a, h, s or x.
type BlockStates struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
	States  string `json:"states"`
}

// Delta lists changed seats.
type Delta struct {
	Block   string            `json:"block"`
	Version int64             `json:"version"`
	Seats   map[string]string `json:"seats"`
}

// NewBooking requests these seats, or a quantity of a ticket type.
type NewBooking struct {
	EventID      string   `json:"event_id"`
	SeatIDs      []string `json:"seat_ids,omitempty"`
	TicketTypeID string   `json:"ticket_type_id,omitempty"`
	Quantity     int      `json:"quantity,omitempty"`
}

// Booking is a booking.
type Booking struct {
	ID          string          `json:"id"`
	EventID     string          `json:"event_id"`
	Status      string          `json:"status"`
	Reason      string          `json:"reason"`
	Seats       []BookedSeat    `json:"seats"`
	Total       Money           `json:"total"`
	CreatedAt   time.Time       `json:"created_at"`
	ExpiresAt   time.Time       `json:"expires_at"`
	ConfirmedAt *time.Time      `json:"confirmed_at"`
	EndedAt     *time.Time      `json:"ended_at"`
	Payment     *BookingPayment `json:"payment"`
}

// SeatIDs returns the ids of a booking's seats, in the booking's order.
func (b Booking) SeatIDs() []string {
	var ids []string
	for _, s := range b.Seats {
		ids = append(ids, s.ID)
	}
	return ids
}

// BookedSeat is one seat of a booking.
type BookedSeat struct {
	ID           string `json:"id"`
	Section      string `json:"section"`
	Row          string `json:"row"`
	Number       string `json:"number"`
	TicketTypeID string `json:"ticket_type_id"`
	Price        Money  `json:"price"`
}

// BookingPayment is a booking's latest known payment state.
type BookingPayment struct {
	ID          string `json:"id"`
	Status      string `json:"status"`
	FailureCode string `json:"failure_code"`
}

// Ticket is one seat's ticket.
type Ticket struct {
	ID     string `json:"id"`
	SeatID string `json:"seat_id"`
	Holder string `json:"holder"`
	Code   string `json:"code"`
	// QRPNG is Code as a QR code.
	QRPNG []byte `json:"qr_png"`
}

// Sales is an event's sales report.
type Sales struct {
	AsOf        time.Time         `json:"as_of"`
	Seats       SeatCounts        `json:"seats"`
	Revenue     Money             `json:"revenue"`
	TicketTypes []TicketTypeSales `json:"ticket_types"`
	OverTime    struct {
		BucketSeconds int           `json:"bucket_seconds"`
		Buckets       []SalesBucket `json:"buckets"`
	} `json:"over_time"`
}

// SeatCounts counts the seats in each state.
type SeatCounts struct {
	Available int `json:"available"`
	Held      int `json:"held"`
	Sold      int `json:"sold"`
	Blocked   int `json:"blocked"`
}

// TicketTypeSales is the sales report of one ticket type.
type TicketTypeSales struct {
	ID      string     `json:"id"`
	Seats   SeatCounts `json:"seats"`
	Revenue Money      `json:"revenue"`
}

// SalesBucket holds the sales of one time span.
type SalesBucket struct {
	StartsAt time.Time `json:"starts_at"`
	Sold     int       `json:"sold"`
	Revenue  int64     `json:"revenue"`
}

// Attendee is a ticket holder.
type Attendee struct {
	TicketID    string     `json:"ticket_id"`
	BookingID   string     `json:"booking_id"`
	SeatID      string     `json:"seat_id"`
	Price       Money      `json:"price"`
	Holder      string     `json:"holder"`
	CheckedInAt *time.Time `json:"checked_in_at"`
}

// Scan is the result of a scan.
type Scan struct {
	ScanID     string     `json:"scan_id"`
	EventID    string     `json:"event_id"`
	Result     string     `json:"result"`
	ScannedAt  time.Time  `json:"scanned_at"`
	AdmittedAt *time.Time `json:"admitted_at"`
	TicketID   string     `json:"ticket_id"`
	Seat       *struct {
		ID string `json:"id"`
	} `json:"seat"`
	Holder string `json:"holder"`
	// Replayed means that the response is that of an earlier request.
	Replayed bool `json:"-"`
}

// TicketKey is a public key as a JSON Web Key.
type TicketKey struct {
	Kid string `json:"kid"`
	// X is the key in base64url without padding.
	X string `json:"x"`
}

// Payment is a payment.
type Payment struct {
	ID          string     `json:"id"`
	BookingID   string     `json:"booking_id"`
	Status      string     `json:"status"`
	Amount      Money      `json:"amount"`
	FailureCode string     `json:"failure_code"`
	RefundedAt  *time.Time `json:"refunded_at"`
}
