package booking

// choose finds quantity seats of a ticket type that are free and not claimed,
// and claims them: neighbours in one row, or units of a standing area. It
// prefers places that leave no single seat alone, then rows in the plan's
// order, then the middle of the row. It passes over the first skip such places
// if there are that many. The caller must release the claim.
func (s *Sale) choose(ticketType, quantity, skip int) ([]SeatID, bool) {
	if seats, ok := s.chooseAfter(ticketType, quantity, skip); ok || skip == 0 {
		return seats, ok
	}
	return s.chooseAfter(ticketType, quantity, 0)
}

func (s *Sale) chooseAfter(ticketType, quantity, skip int) ([]SeatID, bool) {
	e := s.Event()
	var fallback *placement
	for n, b := range s.blocks {
		b.mu.Lock()
		if b.free[ticketType] >= quantity {
			p := &e.plan[n]
			if p.general {
				if units := b.freeUnits(p, int16(ticketType), quantity, &skip); units != nil {
					b.claim(units)
					b.mu.Unlock()
					return seatIDs(b.id.Block, units), true
				}
			} else if best, ok := b.bestInBlock(p, int16(ticketType), quantity, &skip); ok {
				if best.orphans == 0 {
					units := best.indexes(quantity)
					b.claim(units)
					b.mu.Unlock()
					return seatIDs(b.id.Block, units), true
				}
				if fallback == nil || best.orphans < fallback.orphans {
					fallback = &placement{block: n, start: best.start, orphans: best.orphans}
				}
			}
		}
		b.mu.Unlock()
	}
	if fallback == nil {
		return nil, false
	}
	b := s.blocks[fallback.block]
	b.mu.Lock()
	defer b.mu.Unlock()
	// Another hold may have taken them since the block was unlocked.
	units := fallback.indexes(quantity)
	for _, i := range units {
		if b.seats[i].State != Available || b.claimed[i] {
			best, ok := b.bestInBlock(&e.plan[fallback.block], int16(ticketType), quantity, new(int))
			if !ok {
				return nil, false
			}
			units = best.indexes(quantity)
			break
		}
	}
	b.claim(units)
	return seatIDs(b.id.Block, units), true
}

// placement is a run of neighbouring seats and what it leaves behind.
type placement struct {
	block, start int
	// orphans counts the single seats it leaves with no free neighbour.
	orphans int
	// off is the distance from the row's middle, in half seats.
	off int
}

func (p placement) indexes(quantity int) []int {
	units := make([]int, quantity)
	for i := range units {
		units[i] = p.start + i
	}
	return units
}

func (p placement) better(q placement) bool {
	if p.orphans != q.orphans {
		return p.orphans < q.orphans
	}
	return p.off < q.off
}

// bestInBlock returns the best placement in the first row that has one without
// orphans, after skip others, else the one with the fewest. b.mu must be held.
func (b *block) bestInBlock(p *planBlock, ticketType int16, quantity int, skip *int) (best placement, found bool) {
	for _, row := range p.rows {
		for start := row.start; start < row.start+row.count; {
			end := start
			for end < row.start+row.count && b.open(p, ticketType, end) {
				end++
			}
			for at := start; at+quantity <= end; at++ {
				c := placement{start: at, off: abs(2*(at-row.start) + quantity - row.count)}
				if at-start == 1 {
					c.orphans++
				}
				if end-(at+quantity) == 1 {
					c.orphans++
				}
				if !found || c.better(best) {
					best, found = c, true
				}
			}
			start = max(end, start) + 1
		}
		if found && best.orphans == 0 {
			if *skip == 0 {
				return best, true
			}
			*skip--
			found = false
		}
	}
	return best, found
}

// freeUnits returns units of a standing area, after skip times as many others.
func (b *block) freeUnits(p *planBlock, ticketType int16, quantity int, skip *int) []int {
	units := make([]int, 0, quantity)
	for i := range p.ticket {
		if !b.open(p, ticketType, i) {
			continue
		}
		if units = append(units, i); len(units) < quantity {
			continue
		}
		if *skip == 0 {
			return units
		}
		*skip--
		units = units[:0]
	}
	return nil
}

func (b *block) open(p *planBlock, ticketType int16, index int) bool {
	return p.ticket[index] == ticketType && b.seats[index].State == Available && !b.claimed[index]
}

func (b *block) claim(indexes []int) {
	for _, i := range indexes {
		b.claimed[i] = true
	}
}

// unclaim gives up the claims that choose made.
func (s *Sale) unclaim(seats []SeatID) {
	for _, g := range groupByBlock(seats) {
		b := s.blocks[g.Block-1]
		b.mu.Lock()
		for _, i := range g.Indexes {
			delete(b.claimed, i)
		}
		b.mu.Unlock()
	}
}

func seatIDs(block int, indexes []int) []SeatID {
	ids := make([]SeatID, len(indexes))
	for i, n := range indexes {
		ids[i] = SeatID{block, n}
	}
	return ids
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
