package broadcast

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// maxFrame limits a frame, in bytes. A snapshot of the largest venue fits.
const maxFrame = 8 << 20

// update is one frame of the stream, or all consecutive frames that share an id.
type update struct {
	// data is nil if there is nothing to forward.
	data []byte
	// id is the log position up to which all changes have been sent, -1 if unknown.
	id int64
	// snapshot marks an update with the whole state; comment marks one without data (a heartbeat).
	snapshot, comment bool
}

// updateReader reads a stream of server-sent events as booking-service writes it.
type updateReader struct {
	in *bufio.Scanner
	// pending holds frames whose id has not arrived yet.
	pending []byte
}

func newUpdateReader(r io.Reader) *updateReader {
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
	return &updateReader{in: in}
}

// next returns the next update. The caller owns its data.
func (r *updateReader) next() (update, error) {
	for r.in.Scan() {
		got := update{id: -1}
		hasData := false
		for line := range bytes.Lines(r.in.Bytes()) {
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
			r.pending = append(r.pending, r.in.Bytes()...)
			if len(r.pending) > maxFrame {
				return got, bufio.ErrTooLong
			}
			if got.id < 0 {
				continue
			}
			got.data, r.pending, got.comment = slices.Clip(r.pending), nil, false
			return got, nil
		case got.id >= 0:
			got.comment = false
			return got, nil
		case got.comment:
			return got, nil
		}
	}
	if err := r.in.Err(); err != nil {
		return update{}, err
	}
	return update{}, io.EOF
}

// snapshotFrame returns the frame of a snapshot, whose JSON has no line breaks.
func snapshotFrame(id int64, json []byte) []byte {
	return fmt.Appendf(nil, "event: snapshot\nid: %d\ndata: %s\n\n", id, bytes.TrimSpace(json))
}
