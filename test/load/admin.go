package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// bookingReplicas are the processes of booking-service.
var bookingReplicas = []string{"booking-service-1", "booking-service-2", "booking-service-3"}

// admin calls a process's admin listener and decodes the response into out, if
// not nil.
func (b *bench) admin(ctx context.Context, process, method, path string, query url.Values, out any) error {
	body, err := b.adminBody(ctx, process, method, path, query)
	if err != nil {
		return err
	}
	defer body.Close()
	if out == nil {
		return nil
	}
	return json.NewDecoder(body).Decode(out)
}

func (b *bench) adminBody(ctx context.Context, process, method, path string, query url.Values) (io.ReadCloser, error) {
	address, err := b.running.AdminAddress(process)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return nil, fmt.Errorf("%s: %s %s: %s: %s (was it built by make bench?)", process, method, path, resp.Status, strings.TrimSpace(string(text)))
	}
	return resp.Body, nil
}

// limitRounds makes every booking replica commit at most n operations per
// round; 0 restores the default.
func (b *bench) limitRounds(ctx context.Context, n int) error {
	for _, replica := range bookingReplicas {
		if err := b.admin(ctx, replica, http.MethodPut, "/debug/bench/round-limit", url.Values{"n": {strconv.Itoa(n)}}, nil); err != nil {
			return err
		}
	}
	return nil
}

// prepareRows creates the rows of an event's seats in Postgres.
func (b *bench) prepareRows(ctx context.Context, event string) error {
	return b.admin(ctx, bookingReplicas[0], http.MethodPut, "/debug/bench/rows", url.Values{"event": {event}}, nil)
}

// liveHeap returns the bytes in use in a process's heap after garbage
// collection.
func (b *bench) liveHeap(ctx context.Context, process string) (int64, error) {
	var live int64
	// The first collection also runs finalizers; the second frees what they
	// released.
	for range 2 {
		body, err := b.adminBody(ctx, process, http.MethodGet, "/debug/pprof/heap", url.Values{"gc": {"1"}, "debug": {"1"}})
		if err != nil {
			return 0, err
		}
		live, err = heapAlloc(body)
		body.Close()
		if err != nil {
			return 0, err
		}
	}
	return live, nil
}

// heapAlloc finds runtime.MemStats.HeapAlloc in the text of a heap profile.
func heapAlloc(profile io.Reader) (int64, error) {
	const name = "# HeapAlloc = "
	lines := bufio.NewScanner(profile)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if value, found := strings.CutPrefix(lines.Text(), name); found {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, fmt.Errorf("the heap profile has no %q", name)
}
