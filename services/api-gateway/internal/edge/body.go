package edge

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

const (
	// maxBodyBytes limits the body bytes that one address sends at once.
	maxBodyBytes = 32 << 20
	// minBodyCharge is the least that a body counts against maxBodyBytes, in bytes, to cover its overhead.
	minBodyCharge = 16 << 10
	// A body may take bodyTimeout plus a second for each minBodyRate bytes.
	bodyTimeout = 5 * time.Second
	minBodyRate = 1 << 20
)

// readBody returns the whole body, so that it can be sent to another replica.
func (s *Server) readBody(c *call) ([]byte, error) {
	limit, length := c.endpoint.route.BodyLimit, c.r.ContentLength
	if limit == 0 || length == 0 {
		return nil, nil
	}
	tooLarge := func() error {
		return problem.New(http.StatusRequestEntityTooLarge, problem.CodeBodyTooLarge,
			fmt.Sprintf("The body must have at most %d bytes.", limit))
	}
	if length > limit {
		return nil, tooLarge()
	}
	size := length
	if size < 0 {
		size = limit // the size is unknown: assume the largest
	}
	release, ok := s.bodyBytes.acquire(c.client.limitKey(), max(size, minBodyCharge))
	if !ok {
		return nil, rateLimited("address", time.Second)
	}
	defer release()
	control := http.NewResponseController(c.w)
	timeout := bodyTimeout + time.Duration(size/minBodyRate)*time.Second
	_ = control.SetReadDeadline(time.Now().Add(timeout))
	var body []byte
	var err error
	if length > 0 {
		body = make([]byte, length)
		_, err = io.ReadFull(c.r.Body, body)
	} else {
		body, err = io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	}
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, problem.New(http.StatusBadRequest, problem.CodeMalformedJSON, "The body could not be read. Send it again.").Because(err)
	}
	// Until the response, the server reads in the background to detect a disconnect. That read must have no
	// deadline.
	_ = control.SetReadDeadline(time.Time{})
	return body, nil
}
