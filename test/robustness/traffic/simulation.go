// Package traffic simulates users: buyers who want the same seats, organisers
// who open and cancel events, viewers, and probes that measure how long holds
// fail.
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

// Config configures a simulation.
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

// Simulation is the running system and its users.
type Simulation struct {
	cfg      Config
	recorder *history.Recorder
	clients  []*client.Client
	// loginSlots limits concurrent log-ins: password hashing is expensive.
	loginSlots chan struct{}

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

// New creates a simulation: it creates an organiser, registers the buyers and puts
// the first events on sale. The system must be healthy.
func New(ctx context.Context, cfg Config) (*Simulation, error) {
	sim := &Simulation{cfg: cfg, recorder: cfg.Recorder, loginSlots: make(chan struct{}, 3)}
	first := client.New(cfg.Gateways[0], nil)
	for _, gateway := range cfg.Gateways {
		sim.clients = append(sim.clients, first.At(gateway))
	}
	if err := sim.registerAll(ctx); err != nil {
		return nil, err
	}
	if err := sim.open(ctx, true); err != nil {
		return nil, err
	}
	for range onSale {
		if err := sim.open(ctx, false); err != nil {
			return nil, err
		}
	}
	return sim, nil
}

// registerAll registers everybody, the organiser first.
func (sim *Simulation) registerAll(ctx context.Context) error {
	admin := sim.person("admin", 0)
	admin.email, admin.password = sim.cfg.AdminEmail, sim.cfg.AdminPassword
	if err := admin.login(ctx); err != nil {
		return fmt.Errorf("log in as admin: %w", err)
	}
	sim.organizer = sim.person("organizer", 1)
	if err := sim.organizer.register(ctx); err != nil {
		return err
	}
	if err := sim.organizer.login(ctx); err != nil {
		return err
	}
	made := admin.retry(ctx, setupTimeout, history.Call{Kind: history.Other},
		func(ctx context.Context, c *client.Client, _ *history.Call) error {
			_, err := c.SetRole(ctx, sim.organizer.userID, "organizer")
			return err
		})
	if made.Outcome != history.Done {
		return fmt.Errorf("grant organiser role: %s", made.Error)
	}
	for i := range sim.cfg.Buyers {
		sim.buyers = append(sim.buyers, &buyer{person: sim.person(fmt.Sprintf("buyer-%d", i+1), uint64(i)+100)})
	}
	for i := range sim.clients {
		p := sim.person(fmt.Sprintf("probe-%d", i+1), uint64(i)+10)
		p.pinned = i
		sim.probers = append(sim.probers, &prober{person: p})
	}
	people := []*person{sim.organizer}
	for _, b := range sim.buyers {
		people = append(people, b.person)
	}
	for _, p := range sim.probers {
		people = append(people, p.person)
	}
	errs := make([]error, len(people))
	var group sync.WaitGroup
	for i, p := range people {
		group.Go(func() {
			if p.email == "" {
				errs[i] = p.register(ctx)
			}
			if errs[i] == nil {
				errs[i] = p.login(ctx)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func (sim *Simulation) person(name string, stream uint64) *person {
	return &person{sim: sim, name: name, pinned: anyGateway, dice: rand.New(rand.NewPCG(sim.cfg.Seed, stream))}
}

// Run lets the users act until ctx ends, and returns when the last request has
// been answered.
func (sim *Simulation) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, b := range sim.buyers {
		group.Go(func() { b.run(ctx) })
	}
	for _, p := range sim.probers {
		group.Go(func() { p.run(ctx) })
	}
	group.Go(func() { sim.rotate(ctx) })
	group.Go(func() { sim.watch(ctx) })
	group.Wait()
}

// Sales returns all events of the round.
func (sim *Simulation) Sales() []*Sale {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	return append([]*Sale(nil), sim.all...)
}

// Views returns the viewer's results.
func (sim *Simulation) Views() []View {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	return append([]View(nil), sim.views...)
}

// Users maps account ids to the names of buyers and probes.
func (sim *Simulation) Users() map[string]string {
	users := map[string]string{}
	for _, b := range sim.buyers {
		users[b.userID] = b.name
	}
	for _, p := range sim.probers {
		users[p.userID] = p.name
	}
	return users
}

// ReadAll lets all buyers read all their bookings once more at the end.
func (sim *Simulation) ReadAll(ctx context.Context) error {
	var people []*person
	for _, b := range sim.buyers {
		people = append(people, b.person)
	}
	for _, p := range sim.probers {
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
