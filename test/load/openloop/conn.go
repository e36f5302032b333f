package openloop

import (
	"bufio"
	"context"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// answerTimeout is the timeout for a response.
	answerTimeout = 12 * time.Second
	// maxIdle is well below the idle timeout of servers.
	maxIdle    = 45 * time.Second
	bufferSize = 4 << 10
)

// conn is a connection to the target. It opens on first use and reopens after a
// failure.
type conn struct {
	addr string
	net  net.Conn
	in   *bufio.Reader
	out  []byte
	// deadline is the read deadline; it is renewed once a second, not for every
	// response.
	deadline time.Time
	used     time.Time
	answer   fasthttp.Response
	work     chan int
}

// conn returns an idle connection or a new one.
func (t *Target) conn() *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.idle); n > 0 {
		c := t.idle[n-1]
		t.idle = t.idle[:n-1]
		return c
	}
	c := &conn{addr: t.addr, in: bufio.NewReaderSize(nil, bufferSize), out: make([]byte, 0, bufferSize), work: make(chan int, 1)}
	c.answer.Header.DisableNormalizing()
	return c
}

func (t *Target) keep(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.idle = append(t.idle, c)
}

// send sends request i and reads its response.
func (c *conn) send(r *running, i int) {
	sample := &r.samples[i]
	c.out = r.Request(c.out[:0], i)
	sent := time.Now()
	sample.Sent = int64(sent.Sub(r.begin))
	err := c.exchange(r.ctx, sent)
	sample.Done = int64(time.Since(r.begin))
	if err != nil {
		c.lose(r, i, err)
		return
	}
	sample.Status = c.answer.StatusCode()
	sample.Retry = len(c.answer.Header.Peek("Retry-After")) > 0
	if r.Answer != nil {
		r.Answer(i, sample.Status, c.answer.Body())
	}
	if r.Then != nil && !c.answer.ConnectionClose() {
		if c.out = r.Then(c.out[:0], i, sample.Status, c.answer.Body()); len(c.out) > 0 {
			if err := c.exchange(r.ctx, time.Now()); err != nil {
				c.lose(r, i, err)
				return
			}
			sample.Second = c.answer.StatusCode()
			if r.Second != nil {
				r.Second(i, sample.Second, c.answer.Body())
			}
		}
	}
	if c.answer.ConnectionClose() {
		c.close()
	}
}

func (c *conn) lose(r *running, i int, err error) {
	c.close()
	if r.Lost != nil {
		r.Lost(i, err)
	}
}

func (c *conn) exchange(ctx context.Context, now time.Time) error {
	if now.Sub(c.used) > maxIdle {
		c.close()
	}
	c.used = now
	if c.net == nil {
		var err error
		dialer := net.Dialer{Timeout: answerTimeout}
		if c.net, err = dialer.DialContext(ctx, "tcp", c.addr); err != nil {
			c.net = nil
			return err
		}
		c.in.Reset(c.net)
		c.deadline = time.Time{}
	}
	if c.deadline.Sub(now) < answerTimeout-time.Second {
		c.deadline = now.Add(answerTimeout)
		if err := c.net.SetDeadline(c.deadline); err != nil {
			return err
		}
	}
	if _, err := c.net.Write(c.out); err != nil {
		return err
	}
	c.answer.Reset()
	c.answer.Header.DisableNormalizing()
	return c.answer.Read(c.in)
}

func (c *conn) close() {
	if c.net != nil {
		_ = c.net.Close()
		c.net = nil
	}
}
