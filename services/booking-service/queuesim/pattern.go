package main

import "time"

// pattern says who comes to a sale and how it is served.
type pattern struct {
	name, about string
	seats       int
	// people come before the sale starts, and arrivals come evenly during
	// arriveFor after it has started.
	people, arrivals int
	arriveFor        time.Duration
	// think is the median of the time from the admission to the hold.
	think time.Duration
	// pay is the median of the time from a hold to the payment; abandon is the
	// share of holds that are not paid and expire after hold.
	pay, hold time.Duration
	abandon   float64
	// absent is the share of people who do not come when it is their turn.
	absent float64
	// bots is the share of accounts that enter and never hold. forgeries is how
	// many holds a second come without an admission.
	bots      float64
	forgeries float64
	// capacity is how many holds the owner can decide a second. It is multiplied
	// by lost from lostAt on for lostFor.
	capacity        float64
	lost            float64
	lostAt, lostFor time.Duration
}

// patterns returns the load patterns. People and seats are proportional to
// size.
func patterns(size float64) []pattern {
	all := []pattern{
		{
			name: "steady", about: "People come evenly, fewer than can be served: the queue lets everybody pass.",
			seats: 20_000, arrivals: 14_000, arriveFor: 4 * time.Minute,
		},
		{
			name: "flash crowd", about: "All come before the sale starts, five for each seat that they can get.",
			seats: 4000, people: 20_000,
		},
		{
			name: "slow payers", about: "People pay late, and four of ten not at all: seats are held and come back.",
			seats: 4000, people: 16_000, pay: 80 * time.Second, abandon: 0.4,
		},
		{
			name: "replica lost", about: "The capacity falls to 40 % for a minute in the middle of a large sale.",
			seats: 40_000, people: 40_000, lost: 0.4, lostAt: 45 * time.Second, lostFor: time.Minute,
		},
		{
			name: "bots", about: "Half of the accounts take places and never hold, and holds come without an admission.",
			seats: 8000, people: 24_000, bots: 0.5, forgeries: 100,
		},
	}
	for i := range all {
		p := &all[i]
		p.seats, p.people, p.arrivals = int(float64(p.seats)*size), int(float64(p.people)*size), int(float64(p.arrivals)*size)
		p.capacity, p.think, p.hold, p.absent = 400, 20*time.Second, 2*time.Minute, 0.1
		if p.pay == 0 {
			p.pay, p.abandon = 30*time.Second, 0.1
		}
	}
	return all
}
