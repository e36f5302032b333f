package admission

const (
	// usualSeats is the number of seats per booking before there are bookings.
	usualSeats = 2
	// overbook is how many people shop for each booking that the available seats
	// allow: not all who shop hold. If few of them hold, up to overbookMost shop,
	// so that the seats are held within about soon seconds. spare people more shop
	// for the last seats.
	overbook     = 1.5
	overbookMost = 10
	soon         = 20
	spare        = 10
	// usualHolds is how many holds a person makes per second of shopping, before
	// this is known. It is high, since at first nobody has had the time to hold.
	// memory is for how many seconds it is averaged.
	usualHolds = 0.15
	memory     = 30
)

// seatDemand estimates how many people buy the seats that are left.
type seatDemand struct {
	// holds is the number of holds per person and second of shopping.
	holds float64
}

func newSeatDemand() seatDemand { return seatDemand{holds: usualHolds} }

func (d *seatDemand) observe(o Observation, shopping int, seconds float64) {
	if shopping >= leastCrowd && o.Available > 0 {
		d.holds += (float64(o.Holds)/float64(shopping) - d.holds*seconds) / memory
	}
}

// people returns how many people may shop for the available seats.
func (d *seatDemand) people(o Observation) float64 {
	perBooking := o.SeatsPerBooking
	if perBooking == 0 {
		perBooking = usualSeats
	}
	each := min(overbookMost, max(overbook, 1/(soon*max(d.holds, 1e-9))))
	return each*float64(o.Available)/perBooking + spare
}
