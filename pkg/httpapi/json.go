package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

// ReadBody reads a JSON body of at most limit bytes. Errors:
// unsupported_media_type (415) unless Content-Type says JSON, body_too_large
// (413), malformed_json (400) when the body is truncated.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	// Other sites' pages can send forms and text across origins, but not JSON.
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
		return nil, problem.New(http.StatusUnsupportedMediaType, problem.CodeUnsupportedMediaType, "Send the body as application/json.")
	}
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			return nil, tooLarge(limit)
		}
		return nil, problem.New(http.StatusBadRequest, problem.CodeMalformedJSON, "The body could not be read. Send it again.").Because(err)
	}
	return body, nil
}

func tooLarge(limit int64) error {
	return problem.New(http.StatusRequestEntityTooLarge, problem.CodeBodyTooLarge,
		fmt.Sprintf("The body must have at most %d bytes.", limit))
}

// Unmarshal decodes a JSON body without the contract: Parse for bodies that are
// too many or too large to be checked field by field. No field may be null.
// Errors: malformed_json and unknown_field (400), validation_failed (422) for a
// value of the wrong type.
func Unmarshal(body []byte, v any) error {
	if hasNull(body) {
		return malformed(errors.New("the body has a null"))
	}
	return unmarshal(body, v)
}

// hasNull reports whether JSON has a null, the only literal with an n.
func hasNull(body []byte) bool {
	inString := false
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			inString = !inString
		case '\\':
			i++ // the next byte does not end the string
		case 'n':
			if !inString {
				return true
			}
		}
	}
	return false
}

func unmarshal(body []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		var wrongType *json.UnmarshalTypeError
		switch {
		case errors.As(err, &wrongType) && wrongType.Field != "":
			return problem.Invalid(problem.Field{
				Field: wrongType.Field, Code: "wrong_type",
				Message: "must be " + wrongType.Type.String() + ", not " + wrongType.Value,
			})
		case strings.HasPrefix(err.Error(), "json: unknown field "):
			return unknownField(strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`))
		default:
			return malformed(err)
		}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return problem.New(http.StatusBadRequest, problem.CodeMalformedJSON, "The body has data after the JSON value.")
	}
	return nil
}

// Decode reads a body of at most DefaultBodyLimit bytes as a T. Errors: those of
// ReadBody and Parse.
func Decode[T any](w http.ResponseWriter, r *http.Request) (v T, err error) {
	body, err := ReadBody(w, r, DefaultBodyLimit)
	if err != nil {
		return v, err
	}
	return Parse[T](body)
}

// DecodeOptional is Decode for a request that may have no body: then it returns
// the zero T.
func DecodeOptional[T any](w http.ResponseWriter, r *http.Request) (v T, err error) {
	if r.ContentLength == 0 {
		return v, nil
	}
	return Decode[T](w, r)
}

// Parse checks a JSON body against the contract and decodes it. T is a type of
// package rest. Errors: malformed_json and unknown_field (400),
// validation_failed (422), which names every wrong field.
func Parse[T any](body []byte) (v T, err error) {
	if err := rest.Validate(reflect.TypeFor[T]().Name(), body); err != nil {
		return v, refuse(err)
	}
	return v, unmarshal(body, &v)
}

// refuse maps an error of rest.Validate to a problem.
func refuse(err error) error {
	var invalid *rest.Invalid
	if !errors.As(err, &invalid) {
		return malformed(err)
	}
	fields := make([]problem.Field, len(invalid.Fields))
	for i, f := range invalid.Fields {
		if f.Code == string(rest.CodeUnknownField) {
			return unknownField(f.Field)
		}
		fields[i] = problem.Field{Field: f.Field, Code: f.Code, Message: f.Message}
	}
	return problem.Invalid(fields...)
}

func malformed(err error) error {
	return problem.New(http.StatusBadRequest, problem.CodeMalformedJSON, "The body is not valid JSON for this request.").Because(err)
}

func unknownField(name string) error {
	return problem.New(http.StatusBadRequest, problem.CodeUnknownField, "The body has an unknown field: "+name+".").With("field", name)
}

// WriteJSON answers with v as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode response: %w", err)
	}
	WriteBody(w, status, body)
	return nil
}

// WriteBody answers with a body that is already JSON.
func WriteBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// The client may have disconnected; nothing can be reported to it.
	_, _ = w.Write(body)
}

// PathUUID returns a path variable as a UUID. Error: not_found (404) if it is
// not one.
func PathUUID(r *http.Request, name, what string) (uuid.UUID, error) {
	id, err := uuid.Parse(mux.Vars(r)[name])
	if err != nil {
		return uuid.Nil, problem.NotFound(what)
	}
	return id, nil
}

// PathVar returns a path variable of the matched route.
func PathVar(r *http.Request, name string) string { return mux.Vars(r)[name] }

// IdempotencyKeyHeader names the header that makes a POST safe to retry.
const IdempotencyKeyHeader = "Idempotency-Key"

// IdempotencyKey returns the request's key, or "" if there is none. Error:
// invalid_idempotency_key (400).
func IdempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values(IdempotencyKeyHeader)
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	valid := len(values) == 1 && len(key) >= 1 && len(key) <= 255
	for _, c := range []byte(key) {
		valid = valid && c > ' ' && c < 0x7f
	}
	if !valid {
		return "", problem.New(http.StatusBadRequest, problem.CodeInvalidIdempotencyKey,
			"Send one Idempotency-Key of 1 to 255 visible ASCII characters.")
	}
	return key, nil
}

// RequestHash returns the SHA-256 of method, path and body. Requests with the
// same Idempotency-Key must have the same hash.
func RequestHash(r *http.Request, body []byte) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", r.Method, r.URL.Path)
	h.Write(body)
	return h.Sum(nil)
}

// ReplayedHeader marks the stored response to an earlier request with the same
// Idempotency-Key.
const ReplayedHeader = "Idempotency-Replayed"
