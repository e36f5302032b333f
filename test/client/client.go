// Package client is a client of Frontrow's public API for the tests and the
// demo.
package client

//go:generate sh -c "GOWORK=off go tool -modfile=../../tools/test/oapi-codegen/go.mod oapi-codegen -config oapi-codegen.yaml ../../api/openapi.yaml"

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Check examines one exchange and returns an error if it breaks the contract.
type Check func(req *http.Request, reqBody []byte, resp *http.Response, respBody []byte) error

// Client is one visitor: anonymous, or with a session. It is safe for
// concurrent use.
type Client struct {
	base      string
	session   string
	admission string
	check     Check
	http      *http.Client
}

// New returns an anonymous client for the API at base, such as
// http://127.0.0.1:8080/api/v1. check is called with every exchange; nil checks
// nothing.
func New(base string, check Check) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 256
	transport.MaxIdleConns = 256
	return &Client{
		base: strings.TrimSuffix(base, "/"), check: check,
		http: &http.Client{Transport: transport, Timeout: 30 * time.Second},
	}
}

// At returns the same visitor at another address of the API.
func (c *Client) At(base string) *Client {
	other := *c
	other.base = strings.TrimSuffix(base, "/")
	return &other
}

// WithSession returns a client that uses a session id; empty makes it anonymous.
func (c *Client) WithSession(id string) *Client {
	other := *c
	other.session = id
	return &other
}

// WithAdmission returns a client that sends the admission of a place in a queue
// with every request.
func (c *Client) WithAdmission(admission string) *Client {
	other := *c
	other.admission = admission
	return &other
}

// From returns the same visitor at another local IP address. It has connections
// of its own.
func (c *Client) From(ip net.IP) *Client {
	other := *c
	transport := c.http.Transport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}, Timeout: 10 * time.Second}).DialContext
	other.http = &http.Client{Transport: transport, Timeout: c.http.Timeout}
	return &other
}

// Request is one request.
type Request struct {
	Method string
	// Path is relative to the base, such as /events.
	Path  string
	Query url.Values
	// Body is encoded as JSON, unless it is a []byte, which is sent unchanged.
	Body   any
	Header http.Header
}

// Response is a response, read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request and reads the whole response, whatever its status. An
// error comes from the transport or from the contract check.
func (c *Client) Do(ctx context.Context, r Request) (Response, error) {
	req, body, err := c.request(ctx, r)
	if err != nil {
		return Response{}, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Response{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return Response{}, fmt.Errorf("%s %s: read response: %w", r.Method, r.Path, err)
	}
	if c.check != nil {
		if err := c.check(req, body, resp, answer); err != nil {
			return Response{}, err
		}
	}
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: answer}, nil
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, []byte, error) {
	var body []byte
	switch b := r.Body.(type) {
	case nil:
	case []byte:
		body = b
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			return nil, nil, err
		}
		body = encoded
	}
	address := c.base + r.Path
	if len(r.Query) > 0 {
		address += "?" + r.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, address, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if r.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	} else {
		req.Body = http.NoBody
	}
	if c.session != "" {
		req.Header.Set("Authorization", "Bearer "+c.session)
	}
	if c.admission != "" {
		req.Header.Set("Frontrow-Admission", c.admission)
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	return req, body, nil
}

// call sends a request and decodes a 2xx response into out (which may be nil).
// Any other response is returned as a *Problem.
func (c *Client) call(ctx context.Context, r Request, out any) error {
	resp, err := c.Do(ctx, r)
	if err != nil {
		return err
	}
	if resp.Status < 200 || resp.Status > 299 {
		return problemOf(r, resp)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(resp.Body, out); err != nil {
		return fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	return nil
}

func keyed(key string) http.Header {
	if key == "" {
		return nil
	}
	return http.Header{"Idempotency-Key": {key}}
}
