package booking

// best returns the best quantity of free seats of a ticket type: neighbours in
// one row, or units of a standing area; nil if there are none. It prefers
// places that leave no single seat alone, then rows in the plan's order, then
// the middle of the row.
func (r *Round) best(ticketType, quantity int) []uint32 {
	e := r.state.Event
	var fallback *placement
	for n := range e.Plan.Blocks {
		block := &e.Plan.Blocks[n]
		// Seats freed in this round are not counted; the next round has them.
		if r.state.free[n][ticketType] < quantity {
			continue
		}
		if block.general {
			if units := r.standingPlaces(block, ticketType, quantity); units != nil {
				return units
			}
			continue
		}
		if p, ok := r.bestInBlock(block, ticketType, quantity); ok {
			if p.orphans == 0 {
				return p.seats(quantity)
			}
			if fallback == nil || p.orphans < fallback.orphans {
				fallback = &p
			}
		}
	}
	if fallback == nil {
		return nil
	}
	return fallback.seats(quantity)
}

// placement is a run of neighbouring seats and its effect on the row.
type placement struct {
	start int
	// orphans counts the single seats left without a free neighbour.
	orphans int
	// offset is the distance from the row's middle, in half seats.
	offset int
}

func (p placement) seats(quantity int) []uint32 {
	seats := make([]uint32, quantity)
	for i := range seats {
		seats[i] = uint32(p.start + i)
	}
	return seats
}

func (p placement) better(q placement) bool {
	if p.orphans != q.orphans {
		return p.orphans < q.orphans
	}
	return p.offset < q.offset
}

// bestInBlock returns the best placement in the first row that has one without
// orphans, otherwise the placement with the fewest.
func (r *Round) bestInBlock(block *PlanBlock, ticketType, quantity int) (best placement, found bool) {
	for i := range block.rows {
		row := &block.rows[i]
		for start := row.start; start < row.start+row.count; {
			end := start
			for end < row.start+row.count && r.isFree(ticketType, end) {
				end++
			}
			for at := start; at+quantity <= end; at++ {
				p := placement{start: at, offset: abs(2*(at-row.start) + quantity - row.count)}
				if at-start == 1 {
					p.orphans++
				}
				if end-(at+quantity) == 1 {
					p.orphans++
				}
				if !found || p.better(best) {
					best, found = p, true
				}
			}
			start = max(end, start) + 1
		}
		if found && best.orphans == 0 {
			return best, true
		}
	}
	return best, found
}

// standingPlaces returns the first free units of a standing area.
func (r *Round) standingPlaces(block *PlanBlock, ticketType, quantity int) []uint32 {
	units := make([]uint32, 0, quantity)
	for n := block.Start; n < block.Start+block.Count; n++ {
		if r.isFree(ticketType, n) {
			if units = append(units, uint32(n)); len(units) == quantity {
				return units
			}
		}
	}
	return nil
}

func (r *Round) isFree(ticketType, position int) bool {
	return r.owner(uint32(position)) == nil && r.state.Event.ticketType(uint32(position)) == ticketType
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
