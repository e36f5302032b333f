package broadcast

import (
	"cmp"
	"slices"
)

const (
	// maxHistory limits the size of a feed's history, in bytes.
	maxHistory = 1 << 20
	// entryOverhead is the size of an entry without its data, in bytes.
	entryOverhead = 64
	// maxWrite limits a write of more than one entry, in bytes.
	maxWrite = 64 << 10
)

// entry holds all frames of one position of the event's log. A client never resumes within an entry.
type entry struct {
	id   int64
	data []byte
	// end is the total size of this entry and all before it.
	end int64
}

// begin returns the total size of all entries before e.
func (e entry) begin() int64 { return e.end - int64(len(e.data)) - entryOverhead }

// history holds the last entries of a stream, ordered by id. A client that has everything up to a position
// needs exactly the entries with a greater id. A snapshot replaces all entries before it.
type history struct {
	// entries lead from any position since from to head, the newest position.
	from, head int64
	entries    []entry
	size       int64 // the last entry's end
}

// reset clears the history and begins it at a position.
func (h *history) reset(id int64) { *h = history{from: id, head: id} }

// add appends an entry, unless it is known. Its data must not change afterwards.
func (h *history) add(id int64, data []byte, snapshot bool) {
	if id <= h.head {
		return
	}
	if snapshot {
		h.entries = nil
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

// covers reports whether a client that has everything up to since can continue.
func (h *history) covers(since int64) bool { return since >= h.from && since <= h.head }

// after returns the data after a position, or the first part of it, and the position it leads to. ok is
// false if some of it was dropped.
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
		if len(data)+len(e.data) > maxWrite {
			break
		}
		if i == 0 {
			data = slices.Clone(data) // must not append to the entry's data
		}
		data, upTo = append(data, e.data...), e.id
	}
	return data, upTo, true
}

// sizeAfter returns the size of the data after a position, in bytes.
func (h *history) sizeAfter(since int64) int64 {
	i := h.index(since)
	if i == len(h.entries) {
		return 0
	}
	return h.size - h.entries[i].begin()
}

// index returns the index of the first entry after a position.
func (h *history) index(since int64) int {
	i, found := slices.BinarySearchFunc(h.entries, since, func(e entry, id int64) int { return cmp.Compare(e.id, id) })
	if found {
		i++
	}
	return i
}
