package admission

import (
	"math"
	"testing"
	"time"
)

func TestMorePeopleShopForTheSeatsLeftWhenFewOfThemHold(t *testing.T) {
	for name, test := range map[string]struct {
		holds int // a second, of 1,000 people
		want  float64
	}{
		"all hold": {50, overbook},
		"few hold": {10, 1 / (soon * 0.01)},
		"nobody":   {0, overbookMost},
	} {
		t.Run(name, func(t *testing.T) {
			d := newSeatDemand()
			o := Observation{Elapsed: time.Second, Holds: test.holds, Available: 2000, SeatsPerBooking: 2}
			for range 600 {
				d.observe(o, 1000, 1)
			}
			if got := (d.people(o) - spare) / 1000; math.Abs(got-test.want) > 0.01 {
				t.Errorf("%.2f people for each booking, want %.2f", got, test.want)
			}
		})
	}
}

func TestSeatDemandIsNotMeasuredWithoutSeats(t *testing.T) {
	d := newSeatDemand()
	for range 600 {
		d.observe(Observation{Elapsed: time.Second}, 1000, 1)
	}
	if got := d.people(Observation{Available: 2}); got != overbook+spare {
		t.Errorf("%g people for a booking, want %g", got, overbook+spare)
	}
}
