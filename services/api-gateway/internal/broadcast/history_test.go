package broadcast

import (
	"bytes"
	"strings"
	"testing"
)

func TestHistoryContinuesAfterAnyPositionItCovers(t *testing.T) {
	var h history
	h.reset(10)
	for _, id := range []int64{11, 13, 12, 13, 20} { // with duplicates and gaps
		h.add(id, []byte{byte(id)}, false)
	}
	for since, want := range map[int64]string{10: "\x0b\x0d\x14", 11: "\x0d\x14", 12: "\x0d\x14", 13: "\x14", 20: ""} {
		data, upTo, ok := h.after(since)
		if !h.covers(since) || !ok || string(data) != want || upTo != 20 {
			t.Errorf("after %d: %q up to %d, %t", since, data, upTo, ok)
		}
	}
	for _, since := range []int64{-1, 9, 21} {
		if h.covers(since) {
			t.Errorf("%d is covered", since)
		}
	}
	if _, _, ok := h.after(9); ok {
		t.Error("continued after a dropped position")
	}
}

func TestHistoryIsBounded(t *testing.T) {
	var h history
	h.reset(0)
	data := bytes.Repeat([]byte("x"), 1000)
	for id := range int64(5000) {
		h.add(id+1, data, false)
	}
	if got := int64(len(h.entries)) * (1000 + entryOverhead); got > maxHistory || got < maxHistory/2 {
		t.Errorf("the history has %d bytes", got)
	}
	if h.entries[0].id != h.from+1 || h.sizeAfter(h.from) != h.sizeAfter(h.from+1)+1000+entryOverhead {
		t.Errorf("the history begins after %d, but its first entry is %d", h.from, h.entries[0].id)
	}
	// An entry larger than the whole history is still delivered.
	h.add(6000, []byte(strings.Repeat("x", 2*maxHistory)), false)
	if got, upTo, ok := h.after(5000); !ok || upTo != 6000 || len(got) != 2*maxHistory {
		t.Errorf("%d bytes up to %d, %t", len(got), upTo, ok)
	}
	// Writes are limited too; a write of one entry is that entry's own bytes.
	h.reset(0)
	for id := range int64(100) {
		h.add(id+1, data, false)
	}
	total := 0
	for since := int64(0); since < 100; {
		got, upTo, _ := h.after(since)
		if len(got) > maxWrite {
			t.Errorf("a write of %d bytes", len(got))
		}
		total, since = total+len(got), upTo
	}
	if got, _, _ := h.after(99); total != 100*1000 || &got[0] != &data[0] {
		t.Errorf("%d bytes in all writes", total)
	}
}

func TestSnapshotReplacesTheHistoryBeforeIt(t *testing.T) {
	var h history
	h.reset(10)
	h.add(11, []byte("a"), false)
	h.add(12, []byte("S"), true)
	h.add(13, []byte("b"), false)
	for since, want := range map[int64]string{10: "Sb", 11: "Sb", 12: "b", 13: ""} {
		data, upTo, ok := h.after(since)
		if !h.covers(since) || !ok || string(data) != want || upTo != 13 {
			t.Errorf("after %d: %q up to %d, %t", since, data, upTo, ok)
		}
	}
	if got, want := h.sizeAfter(10), int64(2*(1+entryOverhead)); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}
