package broadcast

import (
	"cmp"
	"slices"
)

const (
	// maxHistory bounds what a feed remembers, in bytes.
	maxHistory = 1 << 20
	// entryOverhead is what an entry takes beside its data.
	entryOverhead = 64
	// maxPiece bounds what is written at once, in bytes, if it is more than one entry.
	maxPiece = 64 << 10
)

// entry is all frames of one position of the event's log: a client never
// continues in the middle of it.
type entry struct {
	id   int64
	data []byte
	// end is the sum of the sizes of this entry and all before it.
	end int64
}

// begin is the sum of the sizes of all entries before it.
func (e entry) begin() int64 { return e.end - int64(len(e.data)) - entryOverhead }

// history is the last entries of a stream, in the order of their ids. Who has
// everything up to one position needs exactly the entries with a greater id.
type history struct {
	// Every change after from is in entries; head is the newest position.
	from, head int64
	entries    []entry
	size       int64 // the last entry's end
}

// start forgets everything up to a position.
func (h *history) start(id int64) { *h = history{from: id, head: id} }

// add remembers an entry, unless it is known. Its data must not change any more.
func (h *history) add(id int64, data []byte) {
	if id <= h.head {
		return
	}
	h.head = id
	h.size += int64(len(data)) + entryOverhead
	h.entries = append(h.entries, entry{id, data, h.size})
	for len(h.entries) > 1 && h.size-h.entries[0].begin() > maxHistory {
		h.from = h.entries[0].id
		h.entries[0] = entry{}
		h.entries = h.entries[1:]
	}
}

// covers tells whether a client that has everything up to since can continue.
func (h *history) covers(since int64) bool { return since >= h.from && since <= h.head }

// after returns what follows a position, or the first part of it, and the
// position that it leads to; ok is false if some of it is forgotten.
func (h *history) after(since int64) (data []byte, upTo int64, ok bool) {
	if since < h.from {
		return nil, since, false
	}
	rest := h.entries[h.index(since):]
	if len(rest) == 0 {
		return nil, since, true
	}
	data, upTo = rest[0].data, rest[0].id
	for i, e := range rest[1:] {
		if len(data)+len(e.data) > maxPiece {
			break
		}
		if i == 0 {
			data = slices.Clone(data) // the entry's own must stay as it is
		}
		data, upTo = append(data, e.data...), e.id
	}
	return data, upTo, true
}

// sizeAfter returns how much follows a position, in bytes.
func (h *history) sizeAfter(since int64) int64 {
	i := h.index(since)
	if i == len(h.entries) {
		return 0
	}
	return h.size - h.entries[i].begin()
}

// index returns where the entries after a position begin.
func (h *history) index(since int64) int {
	i, found := slices.BinarySearchFunc(h.entries, since, func(e entry, id int64) int { return cmp.Compare(e.id, id) })
	if found {
		i++
	}
	return i
}
