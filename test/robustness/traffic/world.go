// Package traffic simulates the crowd: buyers who want the same seats,
// organisers who open and cancel events, viewers, and probes that measure how
// long holds fail.
package traffic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
)

// HoldSeconds is the duration of a hold: short, so that many expire in a round.
const HoldSeconds = 8

// Config configures a crowd.
type Config struct {
	// Gateways are the API's base URLs, one per gateway.
	Gateways                  []string
	AdminEmail, AdminPassword string
	Buyers                    int
	// Seed determines what buyers request. The results depend on the system.
	Seed uint64
	// Rotate is the interval at which a new event replaces an older one.
	Rotate   time.Duration
	Recorder *history.Recorder
}

// World is the running system and the crowd.
type World struct {
	cfg      Config
	recorder *history.Recorder
	clients  []*client.Client
	// doors limits concurrent log-ins: password hashing is expensive.
	doors chan struct{}

	buyers    []*buyer
	organizer *person
	probers   []*prober

	mu    sync.Mutex
	sales []*Sale
	all   []*Sale
	views []View
}

// Sale is an event that is, or was, on sale.
type Sale struct {
	ID   string
	Name string
	// Seats lists the numbered seats by block, the most wanted first.
	Seats [][]string
	// Probe marks the event reserved for the probes.
	Probe bool
}

// View is one attempt to view an event, through one gateway after another.
type View struct {
	Start, End int64
	OK         bool
	Reason     string
}

// New creates a crowd: it creates an organiser, registers the buyers and puts
// the first events on sale. The system must be healthy.
func New(ctx context.Context, cfg Config) (*World, error) {
	w := &World{cfg: cfg, recorder: cfg.Recorder, doors: make(chan struct{}, 3)}
	first := client.New(cfg.Gateways[0], nil)
	for _, gateway := range cfg.Gateways {
		w.clients = append(w.clients, first.At(gateway))
	}
	if err := w.enrol(ctx); err != nil {
		return nil, err
	}
	if err := w.open(ctx, true); err != nil {
		return nil, err
	}
	for range onSale {
		if err := w.open(ctx, false); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// enrol registers everybody, the organiser first.
func (w *World) enrol(ctx context.Context) error {
	admin := w.person("admin", 0)
	admin.email, admin.password = w.cfg.AdminEmail, w.cfg.AdminPassword
	if err := admin.login(ctx); err != nil {
		return fmt.Errorf("log in as admin: %w", err)
	}
	w.organizer = w.person("organizer", 1)
	user, err := w.organizer.register(ctx)
	if err != nil {
		return err
	}
	made := admin.insist(ctx, enrolPatience, history.Call{Kind: history.Other},
		func(ctx context.Context, c *client.Client, _ *history.Call) error {
			_, err := c.SetRole(ctx, user.ID, "organizer")
			return err
		})
	if made.Outcome != history.Done {
		return fmt.Errorf("grant organiser role: %s", made.Error)
	}
	for i := range w.cfg.Buyers {
		w.buyers = append(w.buyers, &buyer{person: w.person(fmt.Sprintf("buyer-%d", i+1), uint64(i)+100)})
	}
	for i := range w.clients {
		p := w.person(fmt.Sprintf("probe-%d", i+1), uint64(i)+10)
		p.fixed = i
		w.probers = append(w.probers, &prober{person: p})
	}
	people := []*person{w.organizer}
	for _, b := range w.buyers {
		people = append(people, b.person)
	}
	for _, p := range w.probers {
		people = append(people, p.person)
	}
	errs := make([]error, len(people))
	var group sync.WaitGroup
	for i, p := range people {
		group.Go(func() {
			if p.email == "" {
				_, errs[i] = p.register(ctx)
			}
			if errs[i] == nil {
				errs[i] = p.login(ctx)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func (w *World) person(name string, stream uint64) *person {
	return &person{world: w, name: name, fixed: anyGateway, dice: rand.New(rand.NewPCG(w.cfg.Seed, stream))}
}

// Run lets the crowd buy until ctx ends, and returns when the last request has
// been answered.
func (w *World) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, b := range w.buyers {
		group.Go(func() { b.run(ctx) })
	}
	for _, p := range w.probers {
		group.Go(func() { p.run(ctx) })
	}
	group.Go(func() { w.rotate(ctx) })
	group.Go(func() { w.watch(ctx) })
	group.Wait()
}

// Sales returns all events of the round.
func (w *World) Sales() []*Sale {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*Sale(nil), w.all...)
}

// Views returns the viewer's results.
func (w *World) Views() []View {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]View(nil), w.views...)
}

// Users maps account ids to the names of buyers and probes.
func (w *World) Users() map[string]string {
	users := map[string]string{}
	for _, b := range w.buyers {
		users[b.userID] = b.name
	}
	for _, p := range w.probers {
		users[p.userID] = p.name
	}
	return users
}

// ReadAll lets all buyers read all their bookings once more at the end.
func (w *World) ReadAll(ctx context.Context) error {
	var people []*person
	for _, b := range w.buyers {
		people = append(people, b.person)
	}
	for _, p := range w.probers {
		people = append(people, p.person)
	}
	errs := make([]error, len(people))
	slots := make(chan struct{}, 8)
	var group sync.WaitGroup
	for i, p := range people {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = p.listAll(ctx)
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func newKey() string { return "robustness-" + uuid.NewString() }
