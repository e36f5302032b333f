package traffic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

const (
	password = "correct horse battery"
	// callTimeout exceeds the gateway's longest timeout.
	callTimeout = 15 * time.Second
	// setupTimeout is the retry time for steps that a round cannot start
	// without.
	setupTimeout = time.Minute
	anyGateway   = -1
)

// person is a client with an account. A person makes one request at a time.
type person struct {
	sim  *Simulation
	name string
	// pinned is the gateway the person always uses, or anyGateway.
	pinned int
	dice   *rand.Rand

	email, password, userID, session string
}

// request sends one request with the client and records the response in call.
type request func(ctx context.Context, c *client.Client, call *history.Call) error

// call makes one HTTP request through a gateway and records it. The request is
// finished even if ctx has ended: the end of a round does not abort requests.
func (p *person) call(ctx context.Context, gateway int, timeout time.Duration, call history.Call, send request) history.Call {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	var connected atomic.Bool
	// net/http may itself resend a request with an Idempotency-Key. A request
	// was not sent only if it never had a connection.
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	call.Who, call.Gateway = p.name, gateway
	call.Start = p.sim.recorder.Now()
	err := send(ctx, p.sim.clients[gateway].WithSession(p.session), &call)
	call.End = p.sim.recorder.Now()
	call.Outcome = history.Classify(err, connected.Load())
	call.Status = http.StatusOK
	if err != nil {
		call.Status, call.Error = 0, err.Error()
		if problem := client.AsProblem(err); problem != nil {
			call.Status, call.Code = problem.Status, problem.Code
		}
	}
	p.sim.recorder.Add(call)
	return call
}

func (p *person) gateway() int {
	if p.pinned != anyGateway {
		return p.pinned
	}
	return p.dice.IntN(len(p.sim.clients))
}

// retry repeats a request through the next gateway until it succeeds or is
// finally refused, timeout has passed, or ctx ends. It returns the last call.
func (p *person) retry(ctx context.Context, timeout time.Duration, call history.Call, send request) history.Call {
	deadline := time.Now().Add(timeout)
	gateway := p.gateway()
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		answer := p.call(ctx, gateway, callTimeout, call, send)
		if final(answer) || ctx.Err() != nil || time.Now().After(deadline) {
			return answer
		}
		if answer.Status == http.StatusUnauthorized && call.Kind != history.Login && call.Kind != history.Register {
			// The sessions are gone, for example because Redis was emptied.
			// Without a new one the next attempt fails the same way.
			_ = p.login(ctx)
		}
		if p.pinned == anyGateway {
			gateway = (gateway + 1) % len(p.sim.clients)
		}
		clock.Sleep(ctx, wait/2+rand.N(wait))
	}
}

// final reports whether a retry is useless: after a success, or a refusal that
// is not about the session or a temporary condition.
func final(c history.Call) bool {
	if c.Outcome == history.Done {
		return true
	}
	return c.Status >= 400 && c.Status < 500 && c.Status != http.StatusUnauthorized && c.Status != http.StatusTooManyRequests
}

func (p *person) register(ctx context.Context) error {
	p.email, p.password = "robustness-"+uuid.NewString()+"@frontrow.example", password
	p.sim.loginSlots <- struct{}{}
	defer func() { <-p.sim.loginSlots }()
	answer := p.retry(ctx, setupTimeout, history.Call{Kind: history.Register},
		func(ctx context.Context, c *client.Client, _ *history.Call) error {
			return c.Register(ctx, p.email, p.password, p.name)
		})
	if answer.Outcome != history.Done {
		return fmt.Errorf("%s can't register: %s", p.name, answer.Error)
	}
	return nil
}

func (p *person) login(ctx context.Context) error {
	p.sim.loginSlots <- struct{}{}
	defer func() { <-p.sim.loginSlots }()
	answer := p.retry(ctx, setupTimeout, history.Call{Kind: history.Login},
		func(ctx context.Context, c *client.Client, _ *history.Call) error {
			session, err := c.Login(ctx, p.email, p.password)
			if err == nil {
				p.session, p.userID = session.SessionID, session.User.ID
			}
			return err
		})
	if answer.Outcome != history.Done {
		return fmt.Errorf("%s can't log in: %s", p.name, answer.Error)
	}
	return nil
}

// listAll reads all pages of the person's bookings.
func (p *person) listAll(ctx context.Context) error {
	query := url.Values{"limit": {"100"}}
	for {
		var next string
		answer := p.retry(ctx, setupTimeout, history.Call{Kind: history.ListOwn},
			func(ctx context.Context, c *client.Client, call *history.Call) error {
				page, err := c.Bookings(ctx, query)
				call.Bookings, next = page.Items, page.NextCursor
				return err
			})
		if answer.Outcome != history.Done {
			return fmt.Errorf("%s can't list their bookings: %s", p.name, answer.Error)
		}
		if next == "" {
			return nil
		}
		if query.Get("cursor") == next {
			return errors.New("list of bookings does not continue")
		}
		query.Set("cursor", next)
	}
}
