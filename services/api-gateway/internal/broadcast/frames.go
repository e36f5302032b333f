package broadcast

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// maxFrame limits a frame, in bytes. A snapshot of the largest hall fits.
const maxFrame = 8 << 20

// block is one frame of the stream, or all consecutive frames that share an id.
type block struct {
	// data is nil if there is nothing to forward.
	data []byte
	// id is the log position up to which all changes have been sent, -1 if unknown.
	id int64
	// snapshot marks a block with every seat; comment marks one without data (a
	// heartbeat).
	snapshot, comment bool
}

// blocks reads a stream of server-sent events as booking-service writes it.
type blocks struct {
	in *bufio.Scanner
	// pending holds frames whose id has not arrived yet.
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
			return len(data), nil, nil // discard a truncated frame
		}
		return 0, nil, nil
	})
	return &blocks{in: in}
}

// next returns the next block. The caller owns its data.
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
					return got, fmt.Errorf("malformed event id %q", value)
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
