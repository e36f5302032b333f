// Package queue has people who wait in the queue of an event and record what
// they see, for the load test and the end-to-end tests.
package queue

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/bits"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/queue/history"
	calls "github.com/frontrow-tickets/frontrow/test/robustness/history"
)

// Person is an account that records its calls about one event.
type Person struct {
	*client.Client
	Who, EventID string
	Recorder     *history.Recorder
}

// Join solves a challenge and enters the queue; invite may be empty.
func (p *Person) Join(ctx context.Context, invite string) (client.Place, error) {
	challenge, err := p.QueueChallenge(ctx, p.EventID)
	if err != nil {
		return client.Place{}, err
	}
	r := client.PlaceRequest{InviteCode: invite, Challenge: challenge.Challenge}
	switch challenge.Kind {
	case "none":
	case "proof_of_work":
		r.Solution = Solve(challenge)
	default:
		return client.Place{}, fmt.Errorf("join queue: unknown challenge %q", challenge.Kind)
	}
	return p.enter(ctx, r, true)
}

// Come says that the person is here: it keeps the place, enters or rejoins.
func (p *Person) Come(ctx context.Context) (client.Place, error) {
	return p.enter(ctx, client.PlaceRequest{}, false)
}

func (p *Person) enter(ctx context.Context, r client.PlaceRequest, solved bool) (place client.Place, err error) {
	call := history.Call{Kind: history.Enter, Solved: solved, Invited: r.InviteCode != ""}
	p.record(ctx, call, func(ctx context.Context, call *history.Call) error {
		place, err = p.TakePlace(ctx, p.EventID, r)
		call.Place = place
		return err
	})
	return place, err
}

// Look reads the person's place.
func (p *Person) Look(ctx context.Context) (place client.Place, err error) {
	p.record(ctx, history.Call{Kind: history.Look}, func(ctx context.Context, call *history.Call) error {
		place, err = p.Place(ctx, p.EventID)
		call.Place = place
		return err
	})
	return place, err
}

// Leave gives the place to the next person.
func (p *Person) Leave(ctx context.Context) (err error) {
	p.record(ctx, history.Call{Kind: history.Leave}, func(ctx context.Context, _ *history.Call) error {
		err = p.LeaveQueue(ctx, p.EventID)
		return err
	})
	return err
}

// Hold holds seats of the event with an admission, which may be empty.
func (p *Person) Hold(ctx context.Context, b client.NewBooking, admission, key string) (booking client.Booking, err error) {
	p.record(ctx, history.Call{Kind: history.Hold, Admission: admission}, func(ctx context.Context, _ *history.Call) error {
		booking, err = p.WithAdmission(admission).Hold(ctx, b, key)
		return err
	})
	return booking, err
}

func (p *Person) record(ctx context.Context, call history.Call, send func(context.Context, *history.Call) error) {
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	call.Who, call.Start = p.Who, p.Recorder.Now()
	err := send(ctx, &call)
	call.End, call.Outcome = p.Recorder.Now(), calls.Classify(err, connected.Load())
	if problem := client.AsProblem(err); problem != nil {
		call.Code = problem.Code
	}
	p.Recorder.Add(call)
}

// Solve finds the solution of a proof of work, as openapi.yaml defines it.
func Solve(c client.QueueChallenge) string {
	text := []byte(c.Challenge + ":")
	for n := 0; ; n++ {
		text = strconv.AppendInt(text[:len(c.Challenge)+1], int64(n), 10)
		if leadingZeros(sha256.Sum256(text)) >= c.Bits {
			return string(text[len(c.Challenge)+1:])
		}
	}
}

func leadingZeros(sum [sha256.Size]byte) int {
	for i, b := range sum {
		if b != 0 {
			return 8*i + bits.LeadingZeros8(b)
		}
	}
	return 8 * len(sum)
}
