package client

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// StreamEvent is one server-sent event. A comment line (the heartbeat) has the
// Event "comment" and its text in Data.
type StreamEvent struct {
	ID    string
	Event string
	Data  string
}

// Stream opens the live seats of an event and sends what arrives until ctx ends
// or the server closes; then it closes the channel. lastID may be empty. The
// client's admission, if any, is sent as browsers do.
func (c *Client) Stream(ctx context.Context, eventID, lastID string) (<-chan StreamEvent, error) {
	var query url.Values
	if c.admission != "" {
		query = url.Values{"admission": {c.admission}}
	}
	return c.stream(ctx, "/events/"+eventID+"/seats/stream", query, lastID)
}

// QueueStream is Stream for the queue of an event.
func (c *Client) QueueStream(ctx context.Context, eventID, lastID string) (<-chan StreamEvent, error) {
	return c.stream(ctx, "/events/"+eventID+"/queue/stream", nil, lastID)
}

func (c *Client) stream(ctx context.Context, path string, query url.Values, lastID string) (<-chan StreamEvent, error) {
	r := Request{Method: http.MethodGet, Path: path, Query: query, Header: http.Header{"Accept": {"text/event-stream"}}}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	req, _, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	endless := *c.http
	endless.Timeout = 0
	resp, err := endless.Do(req) //nolint:bodyclose // the goroutine below closes it
	if err != nil {
		return nil, err
	}
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || !strings.HasPrefix(got, "text/event-stream") {
		resp.Body.Close()
		return nil, fmt.Errorf("stream %s: %s, %s", path, resp.Status, got)
	}
	events := make(chan StreamEvent)
	go func() {
		defer close(events)
		defer resp.Body.Close()
		readEvents(ctx, bufio.NewReaderSize(resp.Body, 64<<10), events)
	}()
	return events, nil
}

func readEvents(ctx context.Context, in *bufio.Reader, out chan<- StreamEvent) {
	var event StreamEvent
	var data []string
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		complete := StreamEvent{}
		switch {
		case line == "":
			if len(data) > 0 {
				event.Data = strings.Join(data, "\n")
				complete = event
			}
			event, data = StreamEvent{}, nil
		case name == "":
			complete = StreamEvent{Event: "comment", Data: value}
		case name == "id":
			event.ID = value
		case name == "event":
			event.Event = value
		case name == "data":
			data = append(data, value)
		}
		if complete.Event == "" {
			continue
		}
		select {
		case out <- complete:
		case <-ctx.Done():
			return
		}
	}
}
