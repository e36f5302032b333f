package broadcast

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// maxFrame bounds a frame, in bytes: a snapshot of the largest hall fits.
const maxFrame = 8 << 20

// block is one frame of the stream, or all that have an id together.
type block struct {
	// data is nil if there is nothing to pass on.
	data []byte
	// id is the log position up to which all changes have been sent, -1 if unknown.
	id int64
	// snapshot has every seat; comment nothing (a heartbeat).
	snapshot, comment bool
}

// blocks reads a stream of server-sent events, as booking-service writes them.
type blocks struct {
	in *bufio.Scanner
	// pending are the frames whose id is still to come.
	pending []byte
}

func readBlocks(r io.Reader) *blocks {
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxFrame)
	in.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.Index(data, []byte("\n\n")); i >= 0 {
			return i + 2, data[:i+2], nil
		}
		if atEOF {
			return len(data), nil, nil // a frame that broke off says nothing
		}
		return 0, nil, nil
	})
	return &blocks{in: in}
}

// next returns the next block. Its data is its own.
func (b *blocks) next() (block, error) {
	for b.in.Scan() {
		got := block{id: -1}
		hasData := false
		for line := range bytes.Lines(b.in.Bytes()) {
			name, value, _ := bytes.Cut(bytes.TrimRight(line, "\n"), []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch string(name) {
			case "":
				got.comment = got.comment || len(line) > 1
			case "data":
				hasData = true
			case "event":
				got.snapshot = string(value) == "snapshot"
			case "id":
				var err error
				if got.id, err = strconv.ParseInt(string(value), 10, 64); err != nil || got.id < 0 {
					return got, fmt.Errorf("id of an event: %q", value)
				}
			}
		}
		switch {
		case hasData:
			b.pending = append(b.pending, b.in.Bytes()...)
			if len(b.pending) > maxFrame {
				return got, bufio.ErrTooLong
			}
			if got.id < 0 {
				continue
			}
			got.data, b.pending, got.comment = slices.Clip(b.pending), nil, false
			return got, nil
		case got.id >= 0:
			got.comment = false
			return got, nil
		case got.comment:
			return got, nil
		}
	}
	if err := b.in.Err(); err != nil {
		return block{}, err
	}
	return block{}, io.EOF
}

// snapshotFrame returns the frame of a snapshot, whose JSON has no line breaks.
func snapshotFrame(id int64, json []byte) []byte {
	return fmt.Appendf(nil, "event: snapshot\nid: %d\ndata: %s\n\n", id, bytes.TrimSpace(json))
}
