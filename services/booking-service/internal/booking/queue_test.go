package booking_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	logpb "github.com/frontrow-tickets/frontrow/api/log"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
)

// newQueue opens a sale with a queue that starts in an hour; the pre-queue is
// open.
func newQueue(t *testing.T, mode events.QueueMode) *sale {
	t.Helper()
	return newSale(t, func(def *events.EventChanged) {
		def.SaleStartsAt = def.SaleStartsAt.Add(2 * time.Hour)
		def.Queue = events.Queue{Mode: mode, OpensBeforeSeconds: 7200, AdmissionSeconds: 600}
	})
}

func arrive(user uuid.UUID) *logpb.Command {
	return &logpb.Command{Kind: &logpb.Command_Arrive{Arrive: &logpb.Arrive{User: user[:], Solved: true}}}
}

func serveUpTo(crowd float64) *logpb.Command {
	return &logpb.Command{Kind: &logpb.Command_Serve{Serve: &logpb.Serve{Crowd: crowd, Most: 1 << 30, Reason: "growing"}}}
}

func (s *sale) come(user uuid.UUID) *logpb.Place {
	s.t.Helper()
	a := s.do(arrive(user))[0]
	if a.GetRefusal() != "" {
		s.t.Fatalf("arrive: %s", a.GetRefusal())
	}
	return a.GetPlace()
}

// start starts the sale and draws the pre-queue.
func (s *sale) start() {
	s.do(serveUpTo(0)) // opens the pre-queue
	s.now = s.def.SaleStartsAt
	s.do(serveUpTo(0))
}

func users(n int) []uuid.UUID {
	all := make([]uuid.UUID, n)
	for i := range all {
		all[i] = uuid.New()
	}
	return all
}

func (s *sale) wantPlace(user uuid.UUID, status logpb.Place_Status, lane logpb.Lane) *logpb.Place {
	s.t.Helper()
	p := s.Place(user, s.now)
	if p == nil || p.GetStatus() != status || p.GetLane() != lane {
		s.t.Fatalf("place %v, want %s in %s", p, status, lane)
	}
	return p
}

// rankOf computes one rank as the contract describes it.
func rankOf(seed []byte, lane byte, n, number uint32) uint32 {
	h := func(round byte, more ...byte) [32]byte {
		return sha256.Sum256(append(append(append([]byte{}, seed...), lane, round), more...))
	}
	index := number - 1
	for round := range byte(90) {
		first := h(round)
		pivot := uint32(binary.LittleEndian.Uint64(first[:]) % uint64(n))
		flip := (pivot + n - index) % n
		position := max(index, flip)
		sum := h(round, binary.LittleEndian.AppendUint32(nil, position/256)...)
		if sum[position%256/8]>>(position%8)&1 == 1 {
			index = flip
		}
	}
	return index + 1
}

func TestDrawGivesThePreQueueAnOrderThatAnybodyCanCheck(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	people := users(700)
	for _, user := range people {
		s.come(user)
	}
	before := s.QueueView(s.now)
	if before.State != rest.QueueStatePrequeue || before.Seed != "" || len(before.SeedHash) != 64 || before.Lanes.General.Waiting != 700 {
		t.Fatalf("before the draw: %+v", before)
	}
	s.start()
	view := s.QueueView(s.now)
	seed, err := hex.DecodeString(view.Seed)
	if sum := sha256.Sum256(seed); err != nil || hex.EncodeToString(sum[:]) != before.SeedHash || view.Lanes.General.Drawn != 700 {
		t.Fatalf("after the draw: %+v, %v", view, err)
	}
	seen := map[uint32]bool{}
	for i, user := range people {
		p := s.wantPlace(user, logpb.Place_WAITING, logpb.Lane_GENERAL)
		if want := rankOf(seed, 2, 700, uint32(i)+1); p.GetRank() != want || seen[want] || p.GetNumber() != uint32(i)+1 {
			t.Fatalf("number %d has rank %d, want %d", p.GetNumber(), p.GetRank(), want)
		}
		seen[p.GetRank()] = true
	}
	if late := s.come(uuid.New()); late.GetNumber() != 701 || late.GetRank() != 701 {
		t.Errorf("the first after the draw: %v", late)
	}
}

func TestPlaceIsKept(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	people := users(3)
	for range 2 {
		for i, user := range people {
			if p := s.come(user); p.GetNumber() != uint32(i)+1 {
				t.Errorf("user %d has number %d", i, p.GetNumber())
			}
		}
	}
	twice := uuid.New()
	answers := s.do(arrive(twice), arrive(twice))
	if a, b := answers[0].GetPlace(), answers[1].GetPlace(); a.GetNumber() != 4 || b.GetNumber() != 4 {
		t.Errorf("two requests in one round: %v, %v", a, b)
	}
}

func TestHoldNeedsAnAdmission(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	ada, bob := uuid.New(), uuid.New()
	s.come(ada)
	s.come(bob)
	s.start()
	wantRefusal(t, s.do(s.ask(ada, 0))[0], booking.QueueRequired)
	s.do(serveUpTo(1))
	called := ada
	if s.Place(bob, s.now).GetStatus() == logpb.Place_CALLED {
		called = bob
	}
	s.wantPlace(called, logpb.Place_CALLED, logpb.Lane_GENERAL)
	wantRefusal(t, s.do(s.ask(called, 0))[0], booking.QueueRequired)
	p := s.come(called)
	if p.GetStatus() != logpb.Place_ENTERED || p.GetUntil() != s.now.Add(10*time.Minute).UnixMilli() {
		t.Fatalf("entered: %v", p)
	}
	s.now = s.now.Add(9 * time.Minute)
	wantRefusal(t, s.do(s.ask(called, 0))[0], "")
	if got := s.Place(called, s.now).GetUntil(); got != s.now.Add(10*time.Minute).UnixMilli() {
		t.Errorf("a hold renewed the admission until %d", got)
	}
	s.now = s.now.Add(10 * time.Minute)
	wantRefusal(t, s.do(s.ask(called, 1))[0], booking.QueueRequired)
	if s.Place(called, s.now) != nil {
		t.Error("the place outlived the admission")
	}
	if again := s.come(called); again.GetStatus() != logpb.Place_WAITING || again.GetRank() != 3 {
		t.Errorf("rejoined: %v", again)
	}
}

func TestMissedTurnGoesNext(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	s.start()
	people := users(4)
	for _, user := range people {
		s.come(user)
	}
	s.do(serveUpTo(1))
	s.wantPlace(people[0], logpb.Place_CALLED, logpb.Lane_GENERAL)
	s.now = s.now.Add(booking.TurnTime)
	s.do(serveUpTo(1))
	s.wantPlace(people[0], logpb.Place_MISSED, logpb.Lane_GENERAL)
	s.wantPlace(people[1], logpb.Place_CALLED, logpb.Lane_GENERAL)
	joined := s.Place(people[0], s.now).GetJoined()
	if p := s.come(people[0]); p.GetLane() != logpb.Lane_RETURNING || p.GetStatus() != logpb.Place_WAITING || p.GetJoined() != joined ||
		s.Place(people[0], s.now).GetJoined() != joined {
		t.Fatalf("came back: %v", p)
	}
	s.do(serveUpTo(2))
	s.wantPlace(people[0], logpb.Place_CALLED, logpb.Lane_RETURNING)
	s.wantPlace(people[2], logpb.Place_WAITING, logpb.Lane_GENERAL)
}

func TestCrowdIsNotExceeded(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	s.start()
	people := users(10)
	for _, user := range people {
		s.come(user)
	}
	// Two replicas may both believe that they own the log.
	s.do(serveUpTo(3), serveUpTo(3))
	s.do(serveUpTo(3))
	if n := s.QueueFigures(s.now).Called; n != 3 {
		t.Fatalf("%d people called", n)
	}
	s.come(people[0])
	s.do(&logpb.Command{Kind: &logpb.Command_Leave{Leave: &logpb.Leave{User: people[3][:]}}})
	s.do(s.ask(people[0], 0)) // whoever holds seats leaves room
	s.do(serveUpTo(3))
	s.wantPlace(people[4], logpb.Place_CALLED, logpb.Lane_GENERAL) // in place of the one who left
	s.do(&logpb.Command{Kind: &logpb.Command_Leave{Leave: &logpb.Leave{User: people[1][:]}}})
	s.do(serveUpTo(3))
	s.wantPlace(people[5], logpb.Place_CALLED, logpb.Lane_GENERAL)
	if f := s.QueueFigures(s.now); f.Called != 3 || f.Holding != 1 || f.Waiting != 4 {
		t.Errorf("figures %+v", f)
	}
	s.come(people[2])
	s.do(serveUpTo(3)) // who shops takes room
	if f := s.QueueFigures(s.now); f.Called != 2 || f.Shopping != 1 || f.Waiting != 4 || f.Idle != 0 {
		t.Errorf("figures %+v", f)
	}
	s.now = s.now.Add(booking.LateAfter + time.Second)
	if f := s.QueueFigures(s.now); f.Idle != 2 {
		t.Errorf("after %s: %+v", booking.LateAfter, f)
	}
	s.now = s.now.Add(booking.IdleAfter)
	if f := s.QueueFigures(s.now); f.Idle != 3 {
		t.Errorf("after %s: %+v", booking.IdleAfter, f)
	}
}

func TestBuyerWhoseHoldEndedIsIdle(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	s.start()
	user := uuid.New()
	s.come(user)
	s.do(serveUpTo(1))
	s.come(user)
	own := s.do(s.ask(user, 0))[0].GetBooking().GetId()
	if f := s.QueueFigures(s.now); f.Holding != 1 || f.Idle != 0 {
		t.Errorf("with a hold: %+v", f)
	}
	s.do(s.cancel(own))
	if f := s.QueueFigures(s.now); f.Shopping != 1 || f.Idle != 1 {
		t.Errorf("without it: %+v", f)
	}
}

func TestRestoredQueueContinuesInOrder(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	people := users(6)
	for _, user := range people[:4] {
		s.come(user)
	}
	restore := func() {
		snapshot, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if s.State, err = booking.Restore(snapshot); err != nil {
			t.Fatal(err)
		}
	}
	restore() // before the draw
	s.start()
	for _, user := range people[4:] {
		s.come(user)
	}
	byRank := map[uint32]uuid.UUID{}
	for _, user := range people {
		byRank[s.Place(user, s.now).GetRank()] = user
	}
	for crowd := range uint32(6) {
		restore()
		s.do(serveUpTo(float64(crowd + 1)))
		s.wantPlace(byRank[crowd+1], logpb.Place_CALLED, logpb.Lane_GENERAL)
	}
}

func TestArrivalsThatAreRefused(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	with := func(change func(*logpb.Arrive)) *logpb.Command {
		c := arrive(uuid.New())
		change(c.GetArrive())
		return c
	}
	wantRefusal(t, s.do(with(func(a *logpb.Arrive) { a.Solved = false }))[0], booking.ChallengeFailed)
	wantRefusal(t, s.do(with(func(a *logpb.Arrive) { a.Invite = 7 }))[0], booking.InviteCodeInvalid)
	device := func(a *logpb.Arrive) { a.Device = 5 }
	first := with(device)
	wantRefusal(t, s.do(first)[0], "")
	wantRefusal(t, s.do(with(device))[0], booking.DeviceInQueue)
	wantRefusal(t, s.do(first)[0], "")
	s.do(&logpb.Command{Kind: &logpb.Command_Leave{Leave: &logpb.Leave{User: first.GetArrive().GetUser()}}})
	answers := s.do(with(device), with(device))
	wantRefusal(t, answers[0], "")
	wantRefusal(t, answers[1], booking.DeviceInQueue)

	network := func(a *logpb.Arrive) { a.Network = 9 }
	var crowd []*logpb.Command
	for range booking.MaxPerNetwork {
		crowd = append(crowd, with(network))
	}
	for _, a := range s.do(append(crowd, with(network))...)[booking.MaxPerNetwork:] {
		wantRefusal(t, a, booking.NetworkLimit)
	}
	wantRefusal(t, s.do(with(network))[0], booking.NetworkLimit)

	s.now = s.def.SaleStartsAt.Add(-3 * time.Hour)
	wantRefusal(t, s.do(arrive(uuid.New()))[0], booking.QueueNotOpen)
	s.now = s.def.SaleEndsAt
	wantRefusal(t, s.do(arrive(uuid.New()))[0], booking.SaleEnded)
	if n := s.QueueReport(s.now).Refused; n != (rest.QueueReport{}).Refused {
		t.Errorf("refused requests are counted by the owner, not by the state: %+v", n)
	}
}

func TestInviteCodesEnterThePriorityLane(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	invite := &logpb.Invite{Codes: []uint64{7}, Uses: 2, Batch: 1, Request: 2}
	if a := s.do(&logpb.Command{Kind: &logpb.Command_Invite{Invite: invite}})[0]; a.GetRefusal() != "" || a.GetReplayed() {
		t.Fatal(a)
	}
	if a := s.do(&logpb.Command{Kind: &logpb.Command_Invite{Invite: invite}})[0]; !a.GetReplayed() {
		t.Error("the same key made the codes again")
	}
	wantRefusal(t, s.do(&logpb.Command{Kind: &logpb.Command_Invite{Invite: &logpb.Invite{Codes: []uint64{8}, Uses: 2, Batch: 1, Request: 3}}})[0], booking.KeyReused)
	people := users(4)
	for _, user := range people {
		s.come(user)
	}
	invited := func(user uuid.UUID) *logpb.Command {
		c := arrive(user)
		c.GetArrive().Invite = 7
		return c
	}
	answers := s.do(invited(people[3]), invited(people[2]), invited(people[1]))
	wantRefusal(t, answers[0], "")
	wantRefusal(t, answers[1], "")
	wantRefusal(t, answers[2], booking.InviteCodeInvalid)
	wantRefusal(t, s.do(invited(people[3]))[0], "") // it has used its code
	s.start()
	s.do(serveUpTo(2))
	s.wantPlace(people[2], logpb.Place_CALLED, logpb.Lane_PRIORITY)
	s.wantPlace(people[3], logpb.Place_CALLED, logpb.Lane_PRIORITY)
	if v := s.QueueView(s.now); v.Lanes.General.Waiting != 2 || v.Lanes.General.Serving != 0 || v.Lanes.Priority.Serving != 2 {
		t.Errorf("%+v", v.Lanes)
	}
}

func TestOrganiserControlsTheQueue(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	user, other := uuid.New(), uuid.New()
	s.come(user)
	s.come(other)
	s.start()
	control := func(state string) {
		audit := []byte(`{"id":"` + uuid.NewString() + `","at":"2027-03-01T12:00:00Z","action":"queue_controlled"}`)
		c := &logpb.Command{Kind: &logpb.Command_Control{Control: &logpb.Control{Control: &logpb.QueueControl{State: state}, Audit: audit}}}
		s.do(c, c) // twice in a round
		s.do(c)
	}
	control("running") // as before
	control("paused")
	s.do(serveUpTo(5))
	s.wantPlace(user, logpb.Place_WAITING, logpb.Lane_GENERAL)
	if v := s.QueueView(s.now); v.State != rest.QueueStatePaused || !v.Required {
		t.Errorf("paused: %s, required %t", v.State, v.Required)
	}
	if r := s.QueueReport(s.now); r.Reason != rest.AdmissionReasonPaused {
		t.Errorf("paused: %s", r.Reason)
	}
	control("running")
	s.do(serveUpTo(5))
	s.wantPlace(user, logpb.Place_CALLED, logpb.Lane_GENERAL)
	control("stopped")
	if p := s.come(other); p.GetStatus() != logpb.Place_NOT_NEEDED {
		t.Errorf("stopped: %v", p)
	}
	wantRefusal(t, s.do(s.ask(uuid.New(), 0))[0], "")
	audited := 0
	for _, what := range s.messages() {
		if what == events.TypeAuditEntry {
			audited++
		}
	}
	if audited != 3 {
		t.Errorf("%d audit entries", audited)
	}
}

func TestQueueIsServedOnceAfterTheEndOfTheSale(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	s.come(uuid.New())
	s.start()
	s.now = s.def.SaleEndsAt
	if !s.LiveQueue(s.now) {
		t.Fatal("nobody would tell that the sale has ended")
	}
	before := s.QueueView(s.now).Version
	s.do(serveUpTo(5))
	s.do(serveUpTo(5))
	v := s.QueueView(s.now)
	if v.State != rest.QueueStateOff || v.Version != before+1 || v.Lanes.General.Serving != 0 || s.LiveQueue(s.now) {
		t.Errorf("after the end: %+v, before it version %d", v, before)
	}
}

func TestAutomaticQueueIsRequiredWhileActive(t *testing.T) {
	s := newQueue(t, events.QueueAutomatic)
	s.start()
	wantRefusal(t, s.do(s.ask(uuid.New(), 0))[0], "")
	if p := s.come(uuid.New()); p.GetStatus() != logpb.Place_NOT_NEEDED {
		t.Errorf("inactive: %v", p)
	}
	switched := func(active bool) {
		c := serveUpTo(1)
		c.GetServe().Active = &active
		s.do(c)
	}
	switched(true)
	wantRefusal(t, s.do(s.ask(uuid.New(), 1))[0], booking.QueueRequired)
	user := uuid.New()
	s.come(user)
	s.do(serveUpTo(1))
	s.wantPlace(user, logpb.Place_CALLED, logpb.Lane_GENERAL)
	switched(false)
	wantRefusal(t, s.do(s.ask(uuid.New(), 1))[0], "")

	s = newQueue(t, events.QueueAutomatic)
	s.come(uuid.New())
	s.now = s.def.SaleStartsAt
	wantRefusal(t, s.do(s.ask(uuid.New(), 0))[0], booking.QueueRequired) // although the draw is late
	s.do(serveUpTo(0))
	wantRefusal(t, s.do(s.ask(uuid.New(), 0))[0], booking.QueueRequired)
}

func TestWishesAreRecordedWhenSoldOut(t *testing.T) {
	s := newQueue(t, events.QueueAlways)
	people := users(5)
	for _, user := range people[:4] {
		s.come(user)
	}
	s.start()
	s.do(serveUpTo(1))
	for _, user := range people[:4] {
		if s.Place(user, s.now).GetStatus() != logpb.Place_CALLED {
			continue
		}
		s.come(user)
		for seats := uint32(0); seats < 26; seats += 2 {
			// The limit per buyer is 8: others hold through their own admissions.
			if a := s.do(s.ask(user, seats, seats+1))[0]; a.GetRefusal() == string(booking.BuyerLimit) {
				s.def.MaxSeatsPerBuyer = 50
				s.def.Version++
				s.define()
				seats -= 2
			} else {
				s.do(payment(a.GetBooking().GetId(), uuid.New(), logpb.Payment_CONFIRMED))
			}
		}
	}
	s.do(serveUpTo(9))
	if v := s.QueueView(s.now); v.State != rest.QueueStateSoldOut || v.SeatsAvailable != 0 {
		t.Fatalf("sold out: %+v", v)
	}
	if r := s.QueueReport(s.now); r.Wishes != 3 || r.Called != 0 {
		t.Errorf("%d wishes, %d called", r.Wishes, r.Called)
	}
	if p := s.come(people[4]); !p.GetWish() || p.GetStatus() != logpb.Place_WAITING {
		t.Errorf("came later: %v", p)
	}
}

// TestQueueKeepsItsPromisesUnderRandomCommands compares the queue with what
// each person has seen of it, and each snapshot with the state.
func TestQueueKeepsItsPromisesUnderRandomCommands(t *testing.T) {
	for seed := range uint64(20) {
		s := newQueue(t, []events.QueueMode{events.QueueAlways, events.QueueAutomatic}[seed%2])
		random := rand.New(rand.NewPCG(seed, 1))
		people := users(30)
		s.do(&logpb.Command{Kind: &logpb.Command_Invite{Invite: &logpb.Invite{Codes: []uint64{1}, Uses: 5}}})
		type ticket struct {
			lane   logpb.Lane
			number uint32
		}
		given := map[ticket]uuid.UUID{}
		for step := range 400 {
			if step == 60 {
				s.start()
			}
			s.now = s.now.Add(time.Duration(random.IntN(20)) * time.Second)
			var commands []*logpb.Command
			for range 1 + random.IntN(5) {
				user := people[random.IntN(len(people))]
				c := arrive(user)
				switch random.IntN(12) {
				case 0:
					c = &logpb.Command{Kind: &logpb.Command_Leave{Leave: &logpb.Leave{User: user[:]}}}
				case 1, 2:
					c = s.ask(user, uint32(random.IntN(26)))
				case 3, 4, 5:
					c = serveUpTo(float64(random.IntN(8)))
				case 6:
					c.GetArrive().Invite = 1
				case 7:
					c = expire()
				}
				commands = append(commands, c)
			}
			for i, a := range s.do(commands...) {
				p, asked := a.GetPlace(), commands[i].GetArrive()
				if p == nil || p.GetStatus() == logpb.Place_NOT_NEEDED || asked == nil {
					continue
				}
				k := ticket{p.GetLane(), p.GetNumber()}
				if owner, ok := given[k]; ok && owner != uuid.UUID(p.GetUser()) || !bytes.Equal(p.GetUser(), asked.GetUser()) {
					t.Fatalf("seed %d, step %d: %v was given to two people", seed, step, k)
				}
				given[k] = uuid.UUID(p.GetUser())
			}
			snapshot, err := s.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			restored, err := booking.Restore(snapshot)
			if err != nil {
				t.Fatal(err)
			}
			if same, err := s.Equal(restored); err != nil || !same {
				t.Fatalf("seed %d, step %d: the snapshot differs, %v", seed, step, err)
			}
			if got, want := restored.QueueReport(s.now), s.QueueReport(s.now); got != want {
				t.Fatalf("seed %d, step %d: the restored queue reports %+v, want %+v", seed, step, got, want)
			}
			waiting := 0
			for _, user := range people {
				if s.Place(user, s.now).GetStatus() == logpb.Place_WAITING && s.Place(user, s.now) != nil {
					waiting++
				}
			}
			if f := s.QueueFigures(s.now); f.Required && f.Waiting != waiting {
				t.Fatalf("seed %d, step %d: %d people wait, but the lanes have %d", seed, step, waiting, f.Waiting)
			}
			if random.IntN(10) == 0 {
				s.State = restored // a replica that has just started continues
			}
		}
	}
}
