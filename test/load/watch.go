package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

// watcher reads an event's stream of seats as a browser does: when the stream
// ends, it reconnects and resumes.
type watcher struct {
	address, event string
	// from is the local address of the connection.
	from net.Addr
	// data is called with every event's name and data; it must not retain data.
	data func(name string, data []byte)
	// opened is called each time the stream's response begins.
	opened func()

	lastID string
	in     *bufio.Reader
	buf    []byte
}

// watch reads until ctx ends.
func (w *watcher) watch(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		pause := 100 * time.Millisecond
		if err != nil {
			pause = 500 * time.Millisecond
		}
		clock.Sleep(ctx, pause)
	}
}

// connect reads one stream to its end. It returns an error if it could not be
// opened.
func (w *watcher) connect(ctx context.Context) error {
	dialer := net.Dialer{LocalAddr: w.from, Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", w.address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	request := "GET /api/v1/events/" + w.event + "/seats/stream HTTP/1.1\r\nHost: " + w.address + "\r\nAccept: text/event-stream\r\n"
	if w.lastID != "" {
		request += "Last-Event-ID: " + w.lastID + "\r\n"
	}
	if _, err := conn.Write([]byte(request + "\r\n")); err != nil {
		return err
	}
	if w.in == nil {
		w.in = bufio.NewReaderSize(conn, 2<<10)
	} else {
		w.in.Reset(conn)
	}
	resp, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("stream: %s", resp.Status)
	}
	if w.opened != nil {
		w.opened()
	}
	w.read(bufio.NewReaderSize(resp.Body, 2<<10))
	return nil
}

// read parses lines until the stream ends.
func (w *watcher) read(in *bufio.Reader) {
	name := ""
	for {
		line, err := w.line(in)
		if err != nil {
			return
		}
		field, value, _ := bytes.Cut(line, []byte(": "))
		switch string(field) {
		case "event":
			name = string(value)
		case "id":
			w.lastID = strings.Clone(string(value))
		case "data":
			w.data(name, value)
		}
	}
}

// line returns the next line, of any length, without its line break.
func (w *watcher) line(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		w.buf = append(w.buf[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = in.ReadSlice('\n')
			w.buf = append(w.buf, line...)
		}
		line = w.buf
	}
	return bytes.TrimRight(line, "\r\n"), err
}
