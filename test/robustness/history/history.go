// Package history records the clients' requests and responses: every call with
// its start, its end, and its outcome: done, not done, or unknown.
package history

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// Kind is the purpose of a call.
type Kind string

// Kinds.
const (
	Register    Kind = "register"
	Login       Kind = "login"
	Publish     Kind = "publish"
	CancelEvent Kind = "cancel_event"
	Hold        Kind = "hold"
	Cancel      Kind = "cancel"
	Pay         Kind = "pay"
	ReadBooking Kind = "read_booking"
	ListOwn     Kind = "list_bookings"
	ReadPayment Kind = "read_payment"
	Seats       Kind = "seats"
	View        Kind = "view"
	Other       Kind = "other"
)

// Call is one HTTP request and its outcome.
type Call struct {
	// Who is the caller: a buyer's, an organiser's or a viewer's name.
	Who  string `json:"who"`
	Kind Kind   `json:"kind"`
	// Gateway is the number of the gateway, starting at 0.
	Gateway int `json:"gateway"`
	// Start and End are nanoseconds of the monotonic clock since the round
	// began.
	Start   int64   `json:"start"`
	End     int64   `json:"end"`
	Outcome Outcome `json:"outcome"`
	// Status and Code are the response's; Status is 0 if there was none.
	Status int    `json:"status,omitempty"`
	Code   string `json:"code,omitempty"`
	Error  string `json:"error,omitempty"`

	// Key is the Idempotency-Key.
	Key       string `json:"key,omitempty"`
	EventID   string `json:"event_id,omitempty"`
	BookingID string `json:"booking_id,omitempty"`
	// Want names the seats that a hold requested.
	Want []string `json:"want,omitempty"`
	// Quantity is the number of seats a hold requested without naming them.
	Quantity int    `json:"quantity,omitempty"`
	Method   string `json:"method,omitempty"`

	// Bookings and Payment are the content of a done call's response.
	Bookings []client.Booking `json:"bookings,omitempty"`
	Payment  *client.Payment  `json:"payment,omitempty"`
	// Probe marks the holds that measure recovery.
	Probe bool `json:"probe,omitempty"`
}

// Recorder collects the calls of a round. It is safe for concurrent use.
type Recorder struct {
	// Began is the start of the round, in wall-clock and monotonic time.
	Began time.Time

	mu    sync.Mutex
	calls []Call
}

// NewRecorder starts a round's clock.
func NewRecorder() *Recorder { return &Recorder{Began: time.Now()} }

// Now returns nanoseconds since the round began.
func (r *Recorder) Now() int64 { return time.Since(r.Began).Nanoseconds() }

// At converts a time reported by a service to the round's clock. All services
// run on one machine, and the wall clock does not jump during a round.
func (r *Recorder) At(t time.Time) int64 { return t.Sub(r.Began.Round(0)).Nanoseconds() }

// Add records a finished call.
func (r *Recorder) Add(c Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

// Calls returns the calls so far, in the order in which they ended.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[:len(r.calls):len(r.calls)]
}

// Write writes the calls as JSON, one per line.
func (r *Recorder) Write(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	encoder := json.NewEncoder(out)
	for _, c := range r.Calls() {
		if err := encoder.Encode(c); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return file.Close()
}
