package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"

	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/audit"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
)

// frameEvery is the least time between two events of a queue stream.
const frameEvery = time.Second

// deviceHeader names the browser of a request. The gateway sets it and strips
// it from incoming requests.
const deviceHeader = "X-Frontrow-Device"

// refusedHeader has how many requests of people without an admission a gateway
// has refused since it sent the header before.
const refusedHeader = "X-Frontrow-Queue-Refused"

// holdHeader has the 99th percentile of the time that holds took at a gateway,
// since it sent the header before, in milliseconds.
const holdHeader = "X-Frontrow-Hold-P99"

// queueView returns the queue of the event in the path, as known to this
// replica.
func (a *api) queueView(r *http.Request) (view rest.Queue, err error) {
	id, err := httpapi.PathUUID(r, "id", "This event")
	if err != nil {
		return view, err
	}
	found, err := a.event(r.Context(), id, func(s *booking.State) { view = s.QueueView(a.now()) })
	if err == nil && !found {
		err = problem.NotFound("The sale of this event")
	}
	return view, explain(err)
}

func (a *api) queue(w http.ResponseWriter, r *http.Request) error {
	view, err := a.queueView(r)
	if err != nil {
		return err
	}
	refused, _ := strconv.Atoi(r.Header.Get(refusedHeader))
	p99, _ := strconv.Atoi(r.Header.Get(holdHeader))
	if refused > 0 || p99 > 0 {
		a.engine.GatewayFigures(eventlog.IDOf(view.EventID), refused, time.Duration(p99)*time.Millisecond)
	}
	w.Header().Set("Cache-Control", "public, max-age=1")
	return httpapi.WriteJSON(w, http.StatusOK, view)
}

// queueStream sends the queue whenever its log has grown, to a gateway, which
// passes it on to everybody who waits.
func (a *api) queueStream(w http.ResponseWriter, r *http.Request) error {
	view, err := a.queueView(r)
	if err != nil {
		return err
	}
	rc := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	beat, frame := time.NewTicker(heartbeat), time.NewTicker(frameEvery)
	defer beat.Stop()
	defer frame.Stop()
	var buf bytes.Buffer
	writeFrame(&buf, view)
	for sent := view.Version; ; {
		if !send(rc, w, &buf) {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-a.closing:
			return nil
		case <-beat.C:
			buf.WriteString(": heartbeat\n\n")
		case <-frame.C:
			view, err := a.queueView(r)
			if err != nil {
				return nil // the gateway reconnects, and gets the error
			}
			if view.Version != sent {
				writeFrame(&buf, view)
				sent = view.Version
			}
		}
	}
}

// writeFrame writes a server-sent event.
func writeFrame(buf *bytes.Buffer, view rest.Queue) {
	data, err := json.Marshal(view)
	if err != nil {
		panic("httpapi: encode queue: " + err.Error()) // a plain struct can always be encoded
	}
	fmt.Fprintf(buf, "event: snapshot\nid: %d\ndata: %s\n\n", view.Version, data)
}

func (a *api) queueChallenge(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This event")
	if err != nil {
		return err
	}
	if found, err := a.event(r.Context(), id, func(*booking.State) {}); err != nil {
		return explain(err)
	} else if !found {
		return problem.NotFound("The sale of this event")
	}
	return httpapi.WriteJSON(w, http.StatusOK, a.challenge.Challenge(id, identity.FromContext(r.Context()).UserID, a.now()))
}

// place returns the caller's place in the queue.
func (a *api) place(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This event")
	if err != nil {
		return err
	}
	var place *logpb.Place
	var seq int64
	user := identity.FromContext(r.Context()).UserID
	err = a.engine.Read(r.Context(), eventlog.IDOf(id), func(s *booking.State) {
		if s.Event != nil && s.Event.EventID == id {
			place, seq = s.Place(user, a.now()), s.Seq
		}
	})
	if err != nil {
		return explain(err)
	}
	if place == nil {
		return problem.NotFound("Your place in the queue")
	}
	return httpapi.WriteJSON(w, http.StatusOK, a.placeOf(id, place, seq))
}

// takePlace gives the caller a place in the queue, or admits the caller.
func (a *api) takePlace(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This event")
	if err != nil {
		return err
	}
	body, err := httpapi.Decode[rest.PlaceRequest](w, r)
	if err != nil {
		return err
	}
	user, address := identity.FromContext(r.Context()).UserID, audit.ClientAddress(r)
	arrive := &logpb.Arrive{User: user[:], Network: networkOf(address), Device: hashOf(r.Header.Get(deviceHeader)), Invite: booking.InviteHash(body.InviteCode)}
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	if arrive.Solved, err = a.challenge.Solved(ctx, id, user, body, address, a.now()); err != nil {
		return err
	}
	answer, err := a.decideQueue(ctx, id, &logpb.Command{Kind: &logpb.Command_Arrive{Arrive: arrive}})
	if err != nil {
		return err
	}
	return httpapi.WriteJSON(w, http.StatusOK, a.placeOf(id, answer.GetPlace(), answer.GetSeq()))
}

func (a *api) leaveQueue(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "This event")
	if err != nil {
		return err
	}
	user := identity.FromContext(r.Context()).UserID
	if _, err := a.decideQueue(r.Context(), id, &logpb.Command{Kind: &logpb.Command_Leave{Leave: &logpb.Leave{User: user[:]}}}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// decideQueue decides a command about the queue of an event on sale.
func (a *api) decideQueue(ctx context.Context, event uuid.UUID, c *logpb.Command) (*logpb.Answer, error) {
	found, err := a.event(ctx, event, func(*booking.State) {})
	if err == nil && !found {
		err = problem.NotFound("The sale of this event")
	}
	if err != nil {
		return nil, explain(err)
	}
	answer, err := a.engine.Do(ctx, command(ctx, event, c))
	if err == nil {
		err = refused(answer, nil)
	}
	return answer, explain(err)
}

// placeOf returns a place as its owner sees it, with a token if admitted.
func (a *api) placeOf(event uuid.UUID, p *logpb.Place, seq int64) rest.Place {
	v := rest.Place{EventID: event, Version: seq, State: placeStates[p.GetStatus()]}
	if p.GetStatus() == logpb.Place_NOT_NEEDED {
		return v
	}
	v.Lane, v.Number, v.Rank, v.Wish = lanes[p.GetLane()], int(p.GetNumber()), int(p.GetRank()), p.GetWish()
	v.JoinedAt = time.UnixMilli(p.GetJoined()).UTC()
	if p.GetUntil() > 0 {
		v.Until = time.UnixMilli(p.GetUntil()).UTC()
	}
	if p.GetStatus() == logpb.Place_ENTERED {
		v.Admission = a.admissions.Admit(identity.Admission{Event: event, User: uuid.UUID(p.GetUser()), Until: v.Until})
	}
	return v
}

var placeStates = map[logpb.Place_Status]rest.PlaceState{
	logpb.Place_WAITING: rest.PlaceStateWaiting, logpb.Place_CALLED: rest.PlaceStateCalled, logpb.Place_MISSED: rest.PlaceStateMissed,
	logpb.Place_ENTERED: rest.PlaceStateAdmitted, logpb.Place_NOT_NEEDED: rest.PlaceStateNotNeeded,
}

var lanes = map[logpb.Lane]rest.QueueLane{
	logpb.Lane_RETURNING: rest.QueueLaneReturning, logpb.Lane_PRIORITY: rest.QueueLanePriority, logpb.Lane_GENERAL: rest.QueueLaneGeneral,
}

// networkOf returns the hash of the network of an IP address: its /24 or /48.
func networkOf(address string) uint64 {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return 0
	}
	bits := 48
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		bits = 24
	}
	network, err := ip.Prefix(bits)
	if err != nil {
		return 0
	}
	return hashOf(network.String())
}

// hashOf returns a hash of a text, 0 only if it is empty.
func hashOf(text string) uint64 {
	if text == "" {
		return 0
	}
	return max(1, xxhash.Sum64String(text))
}
