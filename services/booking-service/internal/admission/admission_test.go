package admission

import (
	"math"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

const (
	target = 500 * time.Millisecond
	// warm is a p99 at which the crowd neither grows nor shrinks.
	warm = 300 * time.Millisecond
)

// busy is a second in which a full crowd of 1,000 people held fast, and many
// wait.
func busy() Observation {
	return Observation{
		Elapsed: time.Second, Holds: 200, P99: 20 * time.Millisecond, Waiting: 10_000, Called: 100, Shopping: 900,
		Available: 50_000, SeatsPerBooking: 2,
	}
}

func with(change func(*Observation)) Observation {
	o := busy()
	change(&o)
	return o
}

// A restored controller has the crowd 1,000 and is above its threshold.
func TestTick(t *testing.T) {
	for name, test := range map[string]struct {
		seen  Observation
		crowd float64
		most  int
		why   rest.AdmissionReason
	}{
		"grows by a fraction of the holds": {busy(), 1050, 50, rest.AdmissionReasonGrowing},
		"stays while holds are neither fast nor slow": {
			with(func(o *Observation) { o.P99 = warm; o.Shopping = 800 }), 1000, 100, rest.AdmissionReasonCrowdFull,
		},
		"stays while it is not used": {
			with(func(o *Observation) { o.Holds, o.Called, o.Shopping = 10, 0, 500 }), 1000, startPerSecond, rest.AdmissionReasonCrowdFull,
		},
		"stays without holds": {with(func(o *Observation) { o.Holds, o.P99 = 0, 0 }), 1000, 0, rest.AdmissionReasonCrowdFull},
		"calls one for two holds while holds are slow": {
			with(func(o *Observation) { o.P99, o.Called, o.Shopping = target+1, 0, 800 }), 900, 100, rest.AdmissionReasonSlow,
		},
		"calls nobody while no hold is done": {
			with(func(o *Observation) { o.Holds, o.P99, o.Overloaded = 0, 0, 1 }), 1000, 0, rest.AdmissionReasonSlow,
		},
		"ignores one slow hold of a few": {
			with(func(o *Observation) { o.Holds, o.P99, o.Shopping = 10, time.Second, 800 }), 1000, 100, rest.AdmissionReasonCrowdFull,
		},
		"keeps seats selling while holds are slow": {
			with(func(o *Observation) { o.Holds, o.P99, o.Overloaded, o.Called, o.Shopping = 0, 0, 1, 0, 20 }), leastCrowd, 30, rest.AdmissionReasonSlow,
		},
		"does not count idle people": {
			with(func(o *Observation) { o.Idle, o.Holds, o.P99 = 100, 0, 0 }), 1000, 0, rest.AdmissionReasonCrowdFull,
		},
		"calls a limited number a second": {
			with(func(o *Observation) { o.Holds, o.P99, o.Called, o.Shopping = 0, 0, 0, 0 }), 1000, startPerSecond, rest.AdmissionReasonCrowdFull,
		},
		"calls half as many more as hold": {
			with(func(o *Observation) { o.Called, o.Shopping = 0, 200 }), 1000, 300, rest.AdmissionReasonCrowdFull,
		},
		"calls enough people for the seats left": {
			with(func(o *Observation) { o.Available, o.SeatsPerBooking = 1200, 1.8 }), 1050, 10, rest.AdmissionReasonFewSeats,
		},
		"calls nobody without an available seat": {
			with(func(o *Observation) { o.Available, o.Held = 0, 10 }), 1050, 0, rest.AdmissionReasonNoSeats,
		},
		"calls nobody while paused": {with(func(o *Observation) { o.Paused = true }), 1050, 0, rest.AdmissionReasonPaused},
		"follows the organiser": {
			with(func(o *Observation) { o.MaxPerMinute = 600 }), 1050, 10, rest.AdmissionReasonOrganizer,
		},
		"is idle when nobody waits": {with(func(o *Observation) { o.Waiting = 0 }), 1000, 0, rest.AdmissionReasonIdle},
		"is idle when it calls all who wait": {
			with(func(o *Observation) { o.Waiting = 5 }), 1050, 50, rest.AdmissionReasonIdle,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := New(target, 1000).Tick(test.seen)
			if want := (Decision{test.crowd, test.most, test.why}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func TestNewQueueStartsAtAConstantRate(t *testing.T) {
	c := New(target, 0)
	o := Observation{Elapsed: time.Second, Waiting: 10_000, Available: 50_000}
	for n := range 20 {
		d := c.Tick(o)
		if d.Most != startPerSecond || d.Reason != rest.AdmissionReasonStarting && n > 0 {
			t.Fatalf("tick %d: %+v, want %d people", n, d, startPerSecond)
		}
		o.Called += d.Most
	}
}

func TestSlowStartIsLimitedWithoutHolds(t *testing.T) {
	c := New(target, 0)
	o := Observation{Elapsed: time.Second, Waiting: 1_000_000, Available: 1_000_000}
	for range 1000 {
		o.Called += c.Tick(o).Most
	}
	if o.Called < startCrowd || o.Called > startCrowd+startPerSecond {
		t.Errorf("%d people called, want %d", o.Called, startCrowd)
	}
}

func TestSlowStartGrowsWithTheHolds(t *testing.T) {
	c := New(target, 0)
	c.crowd = 1000
	c.Tick(with(func(o *Observation) { o.Holds = 1000 }))
	if c.crowd != 1500 {
		t.Errorf("1,000 holds: the crowd is %g, want 1,500", c.crowd)
	}
}

// follow ticks until the controller is not congested. Of the people who shop,
// some hold each second, and all who may be called come.
func follow(t *testing.T, c *Controller, shopping, holds int, p99 time.Duration) (least int) {
	t.Helper()
	least = shopping
	for n := 0; ; n++ {
		d := c.Tick(with(func(o *Observation) { o.P99, o.Holds, o.Called, o.Shopping = p99, holds, 0, shopping }))
		if d.Reason != rest.AdmissionReasonSlow {
			return least
		}
		if n == 1000 {
			t.Fatalf("still congested: %+v", d)
		}
		if d.Most > holds/2 && shopping >= leastCrowd {
			t.Fatalf("%+v, want at most %d people called", d, holds/2)
		}
		shopping += min(d.Most, int(d.Crowd)-shopping) - holds
		least = min(least, shopping)
	}
}

func TestSlowStartEndsBeforeHoldsAreSlow(t *testing.T) {
	c := New(target, 0)
	c.crowd = 1000
	c.Tick(with(func(o *Observation) { o.P99 = warm }))
	if least := follow(t, c, 1000, 50, warm); least > 750 || least < 700 {
		t.Errorf("the crowd shrinks to %d, want about 750", least)
	}
	if d := c.Tick(with(func(o *Observation) { o.Called, o.Shopping = 0, int(c.crowd) })); d.Reason != rest.AdmissionReasonGrowing {
		t.Errorf("then %+v, want growing", d)
	}
}

func TestCongestionShrinksTheCrowdOnce(t *testing.T) {
	c := New(target, 1000)
	c.Tick(with(func(o *Observation) { o.P99 = 2 * target }))
	if least := follow(t, c, 1000, 50, 0); least > 700 || least < 650 {
		t.Errorf("the crowd shrinks to %d, want about 700", least)
	}
	c.Tick(with(func(o *Observation) { o.P99, o.Called, o.Shopping = 2*target, 0, 600 }))
	if least := follow(t, c, 600, 50, 0); least > 420 || least < 370 {
		t.Errorf("after another congestion the crowd shrinks to %d, want about 420", least)
	}
}

func TestCrowdShrinksWhileHoldsAreSlow(t *testing.T) {
	c := New(target, 1000)
	shopping := 1000
	for range 100 {
		d := c.Tick(with(func(o *Observation) { o.P99, o.Holds, o.Called, o.Shopping = 2*target, 40, 0, shopping }))
		shopping = max(0, shopping+min(d.Most, int(d.Crowd)-shopping)-40)
	}
	if shopping > leastCrowd {
		t.Errorf("%d people shop, want at most %d", shopping, leastCrowd)
	}
}

func TestCrowdRecoversFastAfterCongestion(t *testing.T) {
	c := New(target, 1000)
	c.Tick(with(func(o *Observation) { o.P99 = 2 * target }))
	c.Tick(with(func(o *Observation) { o.Holds, o.P99, o.Called, o.Shopping = 0, 2*target, 0, 200 }))
	for _, want := range []float64{400, 600, 700, 712.5} {
		c.Tick(with(func(o *Observation) { o.Holds, o.Called, o.Shopping = 50, 0, int(c.crowd) }))
		if c.crowd != want {
			t.Fatalf("the crowd is %g, want %g", c.crowd, want)
		}
	}
}

func TestRecoveryWaitsForFastHolds(t *testing.T) {
	c := New(target, 1000)
	c.Tick(with(func(o *Observation) { o.P99 = 2 * target }))
	c.Tick(with(func(o *Observation) { o.Holds, o.P99, o.Called, o.Shopping = 0, 2*target, 0, 200 }))
	for range 5 {
		d := c.Tick(with(func(o *Observation) { o.P99, o.Called, o.Shopping = warm, 0, 200 }))
		if d.Crowd != 200 || d.Reason != rest.AdmissionReasonCrowdFull {
			t.Errorf("%+v, want the crowd 200", d)
		}
	}
}

func TestCongestionShrinksACrowdThatIsNotUsed(t *testing.T) {
	c := New(target, 1000)
	c.Tick(with(func(o *Observation) { o.P99, o.Called, o.Shopping = 2*target, 0, 800 }))
	if d := c.Tick(with(func(o *Observation) { o.Called, o.Shopping = 0, 100 })); d.Crowd != 560 {
		t.Errorf("%+v, want the crowd 560", d)
	}
}

func TestFewSlowHoldsCountWhenTheyLast(t *testing.T) {
	c := New(target, 1000)
	o := with(func(o *Observation) { o.Holds, o.P99 = 5, time.Second })
	for n := 1; n <= patience; n++ {
		d := c.Tick(o)
		if slow := d.Reason == rest.AdmissionReasonSlow; slow != (n == patience) {
			t.Errorf("tick %d: %s", n, d.Reason)
		}
	}
}

func TestIdlePeopleAreReplaced(t *testing.T) {
	c := New(target, 1000)
	o := with(func(o *Observation) { o.P99 = warm })
	c.Tick(o)
	o.Idle = 60
	if d := c.Tick(o); d.Most != 60 || d.Crowd != 1060 {
		t.Errorf("60 of 1,000 people became idle: %+v, want 60 more and the crowd 1,060", d)
	}
}

func TestRestoredCrowdDoesNotCountIdlePeopleTwice(t *testing.T) {
	c := New(target, 1000)
	o := with(func(o *Observation) { o.Idle, o.P99 = 400, warm })
	for range 2 {
		if d := c.Tick(o); d.Crowd != 1000 || d.Most != 0 {
			t.Errorf("%+v, want the crowd 1,000", d)
		}
	}
}

func TestOrganizersLimitIsKept(t *testing.T) {
	for _, perMinute := range []int{1, 7, 60, 90, 1000} {
		c, called := New(target, 1000), 0
		o := with(func(o *Observation) { o.MaxPerMinute, o.Called, o.Shopping = perMinute, 0, 0 })
		o.Elapsed = 700 * time.Millisecond
		const ticks = 1000
		for range ticks {
			called += c.Tick(o).Most
		}
		want := float64(perMinute) / 60 * ticks * o.Elapsed.Seconds()
		if math.Abs(float64(called)-want) > max(2, float64(perMinute)/60) {
			t.Errorf("%d a minute: %d people called, want %.0f", perMinute, called, want)
		}
	}
}

func TestOrganizersLimitDoesNotAccumulate(t *testing.T) {
	c := New(target, 1000)
	for range 600 {
		c.Tick(with(func(o *Observation) { o.MaxPerMinute, o.Paused = 600, true }))
	}
	if d := c.Tick(with(func(o *Observation) { o.MaxPerMinute = 600 })); d.Most > 11 {
		t.Errorf("after a pause: %+v, want at most 11 people", d)
	}
}
