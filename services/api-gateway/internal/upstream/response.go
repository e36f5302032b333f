package upstream

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// maxBuffered is the size in bytes up to which a response is read before it is passed on. An
// interrupted one then counts as no response, and the request may be retried.
const maxBuffered = 64 << 10

// Response is a replica's response.
type Response struct {
	Status int
	Header http.Header

	// length is the Content-Length, -1 if unknown.
	length int64
	// The body is in body, or still to be read from stream if that is not nil.
	body   []byte
	stream io.ReadCloser
	stop   func()
	once   sync.Once
}

// buffer reads the whole body.
func (r *Response) buffer() error {
	r.body = make([]byte, r.length)
	_, err := io.ReadFull(r.stream, r.body)
	closeErr := r.stream.Close()
	r.stream = nil
	return errors.Join(err, closeErr)
}

// ReadAll returns the whole body, of at most limit bytes. ok is false if it is longer; the body is
// then unusable.
func (r *Response) ReadAll(limit int64) (body []byte, ok bool, err error) {
	if r.stream == nil {
		return r.body, int64(len(r.body)) <= limit, nil
	}
	if r.length > limit {
		return nil, false, nil
	}
	body, err = io.ReadAll(io.LimitReader(r.stream, limit+1))
	return body, int64(len(body)) <= limit, err
}

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// CopyTo writes the body to w.
func (r *Response) CopyTo(w io.Writer) error {
	if r.stream == nil {
		_, err := w.Write(r.body)
		return err
	}
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	_, err := io.CopyBuffer(w, r.stream, *buf)
	return err
}

// Body returns the body of an open-ended response.
func (r *Response) Body() io.Reader { return r.stream }

// Buffered reports whether the whole body is in memory.
func (r *Response) Buffered() bool { return r.stream == nil }

// Close releases the response's resources. It may be called twice, and on nil.
func (r *Response) Close() {
	if r == nil {
		return
	}
	r.once.Do(func() {
		if r.stream != nil {
			r.stream.Close()
		}
		r.stop()
	})
}
