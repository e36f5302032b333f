// Package history records what clients asked and what they were told: every
// call with its start, its end, and whether it was done, not done, or nobody
// knows.
package history

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// Kind is what a call was for.
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

// Call is one HTTP request and what came of it.
type Call struct {
	// Who made it: a buyer's, an organiser's or a viewer's name.
	Who  string `json:"who"`
	Kind Kind   `json:"kind"`
	// Gateway it went through, counted from 0.
	Gateway int `json:"gateway"`
	// Start and End are nanoseconds of the monotonic clock since the round began.
	Start   int64   `json:"start"`
	End     int64   `json:"end"`
	Outcome Outcome `json:"outcome"`
	// Status and Code are of the answer; Status 0: there was none.
	Status int    `json:"status,omitempty"`
	Code   string `json:"code,omitempty"`
	Error  string `json:"error,omitempty"`

	// Key is the Idempotency-Key.
	Key       string `json:"key,omitempty"`
	EventID   string `json:"event_id,omitempty"`
	BookingID string `json:"booking_id,omitempty"`
	// Want names the seats that a hold asked for.
	Want []string `json:"want,omitempty"`
	// Quantity is what a hold asked for when it named no seats.
	Quantity int    `json:"quantity,omitempty"`
	Method   string `json:"method,omitempty"`

	// Bookings and Payment are what a done call was answered.
	Bookings []client.Booking `json:"bookings,omitempty"`
	Payment  *client.Payment  `json:"payment,omitempty"`
	// Probe marks the holds by which recovery is measured.
	Probe bool `json:"probe,omitempty"`
}

// Recorder gathers the calls of a round. It is safe for concurrent use.
type Recorder struct {
	// Began is the round's zero, with both of the machine's clocks.
	Began time.Time

	mu    sync.Mutex
	calls []Call
}

// NewRecorder starts a round's clock.
func NewRecorder() *Recorder { return &Recorder{Began: time.Now()} }

// Now returns nanoseconds since the round began.
func (r *Recorder) Now() int64 { return time.Since(r.Began).Nanoseconds() }

// At maps a time that a service has told to the round's clock. All run on one
// machine, and the wall clock does not jump while a round lasts.
func (r *Recorder) At(t time.Time) int64 { return t.Sub(r.Began.Round(0)).Nanoseconds() }

// Add records a call that has ended.
func (r *Recorder) Add(c Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

// Calls returns what was recorded so far, in the order in which it ended.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[:len(r.calls):len(r.calls)]
}

// Write stores the calls as JSON, a line each.
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
