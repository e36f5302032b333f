// Package history records an event's queue as its clients saw it.
package history

import (
	"sync"
	"time"

	"github.com/frontrow-tickets/frontrow/test/client"
	calls "github.com/frontrow-tickets/frontrow/test/robustness/history"
)

// Kind is the purpose of a call.
type Kind string

// Kinds.
const (
	Enter Kind = "enter" // PUT place
	Look  Kind = "look"  // GET place
	Leave Kind = "leave" // DELETE place
	Hold  Kind = "hold"
)

// Call is one request of an account and its outcome.
type Call struct {
	// Who is the account.
	Who  string
	Kind Kind
	// Start and End are times since the recorder began.
	Start, End time.Duration
	Outcome    calls.Outcome
	// Code is the problem's code if the call was refused.
	Code string
	// Solved and Invited tell whether an enter had a solved challenge and an
	// invite code.
	Solved, Invited bool
	// Place is the answer of a done enter or look.
	Place client.Place
	// Admission is what a hold was sent with; empty for none.
	Admission string
}

// Frame is the state of the queue as one client received it.
type Frame struct {
	// Stream is the client.
	Stream int
	At     time.Duration
	Queue  client.Queue
}

// Recorder collects calls and frames. It is safe for concurrent use.
type Recorder struct {
	began time.Time

	mu     sync.Mutex
	calls  []Call
	frames []Frame
}

// NewRecorder starts the recorder's clock.
func NewRecorder() *Recorder { return &Recorder{began: time.Now()} }

// Now returns the time since the recorder began.
func (r *Recorder) Now() time.Duration { return time.Since(r.began) }

// At converts a time of a service, which runs on the same machine.
func (r *Recorder) At(t time.Time) time.Duration { return t.Sub(r.began.Round(0)) }

// Add records a call that has ended.
func (r *Recorder) Add(c Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, c)
}

// AddFrame records a frame that has arrived.
func (r *Recorder) AddFrame(f Frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frames = append(r.frames, f)
}

// Calls returns the calls so far, in the order in which they ended.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[:len(r.calls):len(r.calls)]
}

// Frames returns the frames so far, in the order in which they arrived.
func (r *Recorder) Frames() []Frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.frames[:len(r.frames):len(r.frames)]
}
