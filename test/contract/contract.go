// Package contract checks every exchange of the tests against api/openapi.yaml.
package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	validation "github.com/pb33f/libopenapi-validator/errors"
	"go.yaml.in/yaml/v3"

	"github.com/frontrow-tickets/frontrow/api"
	"github.com/frontrow-tickets/frontrow/api/rest"
)

// Contract is openapi.yaml, parsed and ready for checks.
type Contract struct {
	v        validator.Validator
	document any
}

// Load reads the contract once and returns it to all callers.
var Load = sync.OnceValues(load)

func load() (*Contract, error) {
	doc, err := libopenapi.NewDocument(api.OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	v, errs := validator.NewValidator(doc, config.WithFormatAssertions(), config.WithStrictMode(),
		// The session is a security scheme, which strict mode does not know; the other cookie is the gateway's own.
		config.WithStrictIgnorePaths("$.cookies.frontrow_session", "$.cookies.frontrow_queue",
			// A map, which strict mode takes for an object with unknown members.
			"$.body.items[*].details.*"),
		// These belong to HTTP and to every response; openapi.yaml names only
		// headers that clients act upon.
		config.WithStrictIgnoredHeadersExtra("set-cookie", "content-security-policy", "strict-transport-security", "x-content-type-options",
			"x-frame-options", "referrer-policy", "permissions-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "traceparent",
			"retry-after", "allow", "x-accel-buffering", "content-language"))
	if len(errs) > 0 {
		return nil, fmt.Errorf("contract: %w", errors.Join(errs...))
	}
	var document any
	if err := yaml.Unmarshal(api.OpenAPI, &document); err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	return &Contract{v: v, document: document}, nil
}

// Lint checks the document itself against the OpenAPI 3.1 specification.
func (c *Contract) Lint() error {
	_, errs := c.v.ValidateDocument()
	return explain("openapi.yaml", errs)
}

// refusals are the statuses for requests that break the contract; for these
// only the response is checked.
var refusals = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
	http.StatusUnprocessableEntity, http.StatusPreconditionRequired, http.StatusPreconditionFailed, http.StatusTooManyRequests,
}

// Check returns an error for an exchange that openapi.yaml does not allow: an
// unknown route, status or member, a wrong value, or an invalid request that
// was accepted.
func (c *Contract) Check(req *http.Request, reqBody []byte, resp *http.Response, respBody []byte) error {
	where := fmt.Sprintf("contract: %s %s → %d", req.Method, req.URL.Path, resp.StatusCode)
	if !slices.Contains(refusals, resp.StatusCode) {
		req := req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(reqBody))
		if _, errs := c.v.ValidateHttpRequestSync(req); len(errs) > 0 {
			return explain(where+": request", errs)
		}
	}
	if resp.StatusCode >= http.StatusBadRequest && resp.Header.Get("Content-Type") != "application/problem+json" {
		return fmt.Errorf("%s: content type of error response is %q", where, resp.Header.Get("Content-Type"))
	}
	if retry := resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable; retry && resp.Header.Get("Retry-After") == "" {
		return fmt.Errorf("%s: missing Retry-After", where)
	}
	copied := *resp
	copied.Body = io.NopCloser(bytes.NewReader(respBody))
	_, errs := c.v.ValidateHttpResponse(req, &copied)
	if len(errs) > 0 && (errs[0].IsPathMissingError() || errs[0].IsOperationMissingError()) {
		// Correct if the response says so as well.
		if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusMethodNotAllowed {
			return rest.Validate("Problem", respBody)
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w\n%s", explain(where+": response", errs), respBody[:min(len(respBody), 2000)])
	}
	return nil
}

func explain(where string, errs []*validation.ValidationError) error {
	var lines []string
	for _, e := range errs {
		line := e.Message + ": " + e.Reason
		for _, s := range e.SchemaValidationErrors {
			line += "\n    " + s.FieldPath + ": " + s.Reason
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s", where, strings.Join(lines, "\n  "))
}
