package door

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

const (
	// maxSending bounds the bytes of the bodies that one address sends at once.
	maxSending = 32 << 20
	// leastBody is what a body counts at least, for what is kept beside it.
	leastBody = 16 << 10
	// A body may take bodyPatience, and longer if it is large: a second for each
	// leastRate bytes.
	bodyPatience = 5 * time.Second
	leastRate    = 1 << 20
)

// bodies reads the bodies of requests, and bounds what each address may send at once.
type bodies struct {
	mu      sync.Mutex
	sending map[string]int64
}

// read returns the whole body, so that it can be sent to another replica.
func (b *bodies) read(c *call) ([]byte, error) {
	limit, length := c.entry.route.BodyLimit, c.r.ContentLength
	if limit == 0 || length == 0 {
		return nil, nil
	}
	tooLarge := func() error {
		return problem.New(http.StatusRequestEntityTooLarge, "body_too_large", fmt.Sprintf("The body is larger than %d bytes.", limit))
	}
	if length > limit {
		return nil, tooLarge()
	}
	size := length
	if size < 0 {
		size = limit // it may be as large
	}
	done, ok := b.begin(c.client.limitKey(), max(size, leastBody))
	if !ok {
		return nil, tooMany("address", time.Second)
	}
	defer done()
	control := http.NewResponseController(c.w)
	_ = control.SetReadDeadline(time.Now().Add(bodyPatience + time.Duration(size/leastRate)*time.Second))
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
		return nil, problem.New(http.StatusBadRequest, "malformed_json", "The body could not be read.").Because(err)
	}
	// While we answer the server waits for the client to leave; that has no end.
	_ = control.SetReadDeadline(time.Time{})
	return body, nil
}

// begin counts a body of an address; ok is false when the address sends too much.
func (b *bodies) begin(address string, size int64) (done func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sending[address] > 0 && b.sending[address]+size > maxSending {
		return nil, false
	}
	b.sending[address] += size
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.sending[address] -= size; b.sending[address] == 0 {
			delete(b.sending, address)
		}
	}, true
}
