package door

import (
	"context"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/services/api-gateway/internal/upstream"
)

const (
	// streamSilence is how long a stream may say nothing: three heartbeats. The
	// client then connects again and goes on where it was.
	streamSilence = 45 * time.Second
	// streamWrite is how long a client may take to accept a piece.
	streamWrite = 15 * time.Second
)

// stream passes an answer without an end on, piece by piece, until the client
// leaves, the replica is gone, or the gateway stops.
func (d *Door) stream(c *call, req *upstream.Request) error {
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(d.stopping, cancel)()
	resp, err := d.Forwarder.Do(ctx, req)
	if err != nil {
		return err
	}
	defer resp.Close()
	out := &streamWriter{w: c.w, control: http.NewResponseController(c.w), silence: time.AfterFunc(streamSilence, cancel)}
	defer out.silence.Stop()
	// The server's read time-out would end the connection.
	if err := out.control.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	copyHeader(c.w.Header(), resp.Header)
	c.w.Header().Set("X-Accel-Buffering", "no")
	if err := out.control.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
		return err
	}
	c.w.WriteHeader(resp.Status)
	if err := out.control.Flush(); err != nil || c.r.Method == http.MethodHead {
		return nil // the client has left, or knows all that it asked for
	}
	// However a stream ends, its client knows how to go on.
	_ = resp.CopyTo(out, out.control.Flush)
	return nil
}

// streamWriter gives each write its own deadline.
type streamWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	silence *time.Timer
}

func (s *streamWriter) Write(b []byte) (int, error) {
	s.silence.Reset(streamSilence)
	if err := s.control.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
		return 0, err
	}
	return s.w.Write(b)
}
