package httpapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/event"
	"github.com/frontrow-tickets/frontrow/services/event-service/internal/postgres"
)

// venueBodyLimit fits 120,000 seats, in bytes.
const venueBodyLimit = 16 << 20

// createVenue stores only the venue's id as the response to an Idempotency-Key:
// a venue never changes, so the body is always the same.
func (a *API) createVenue(w http.ResponseWriter, r *http.Request) error {
	key, body, err := idempotent(w, r, venueBodyLimit, "POST /venues")
	if err != nil {
		return err
	}
	// Check before allocating memory for an invalid plan: "[{},{},…]" of 16 MB
	// would be millions of seats.
	if bytes.Count(body, []byte(",")) > event.MaxPlanCommas {
		return event.ErrTooManySeats
	}
	var plan rest.NewVenue
	if err := httpapi.Unmarshal(body, &plan); err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	venue, blocks, err := event.NewVenue(plan, id, identity.FromContext(r.Context()).UserID, a.clock.Now())
	if err != nil {
		return err
	}
	document, err := compress(venue)
	if err != nil {
		return err
	}
	ctx := r.Context()
	status, stored, replayed, err := a.store.Once(ctx, key, func(tx postgres.Tx) (int, []byte, error) {
		return http.StatusCreated, []byte(id.String()), tx.InsertVenue(ctx, venue, blocks, document)
	})
	if err != nil {
		return err
	}
	if replayed {
		if id, err = uuid.ParseBytes(stored); err != nil {
			return fmt.Errorf("stored id of a venue: %w", err)
		}
		if document, err = a.store.VenueDocument(ctx, id); err != nil {
			return err
		}
		w.Header().Set(httpapi.ReplayedHeader, "true")
	}
	w.Header().Set("Location", "/api/v1/venues/"+id.String())
	return writeCompressed(w, r, status, document)
}

func (a *API) venue(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "The venue")
	if err != nil {
		return err
	}
	document, err := a.store.VenueDocument(r.Context(), id)
	if err != nil {
		return err
	}
	// Weak, because the compressed and the plain body share it.
	etag := `W/"` + id.String() + `"`
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Vary", "Accept-Encoding")
	w.Header().Set("ETag", etag)
	if httpapi.ETagMatches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeCompressed(w, r, http.StatusOK, document)
}

// venues lists the caller's own venues. A cursor is the last id of the previous
// page: ids are UUIDv7, which sort by age.
func (a *API) venues(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem.Field
	limit, err := httpapi.PageLimit(r)
	if err != nil {
		wrong = append(wrong, problem.From(err).Fields...)
	}
	before, err := httpapi.Cursor(r, uuid.Max)
	if err != nil {
		wrong = append(wrong, problem.From(err).Fields...)
	}
	if len(wrong) > 0 {
		return problem.Invalid(wrong...)
	}
	list, err := a.store.Venues(r.Context(), identity.FromContext(r.Context()).UserID, before, limit+1, describe)
	if err != nil {
		return err
	}
	page := rest.VenuePage{Items: []rest.OwnVenue{}}
	if len(list) > limit {
		list = list[:limit]
		if page.NextCursor, err = httpapi.NextCursor(list[limit-1].ID); err != nil {
			return err
		}
	}
	page.Items = append(page.Items, list...)
	return httpapi.WriteJSON(w, http.StatusOK, page)
}

// describe sets the fields of v that are only in the venue's document.
func describe(document []byte, v *rest.OwnVenue) error {
	plain, err := gzip.NewReader(bytes.NewReader(document))
	if err != nil {
		return fmt.Errorf("stored document: %w", err)
	}
	var stored rest.OwnVenue
	if err := json.NewDecoder(plain).Decode(&stored); err != nil {
		return fmt.Errorf("stored document: %w", err)
	}
	v.SeatCount, v.Categories = stored.SeatCount, stored.Categories
	return nil
}

func compress(v any) ([]byte, error) {
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(zip).Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeCompressed sends gzipped JSON, unpacked for clients that do not accept
// gzip.
func writeCompressed(w http.ResponseWriter, r *http.Request, status int, document []byte) error {
	if httpapi.AcceptsEncoding(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		httpapi.WriteBody(w, status, document)
		return nil
	}
	plain, err := gzip.NewReader(bytes.NewReader(document))
	if err != nil {
		return fmt.Errorf("stored document: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The status is already sent: only a disconnect can fail now.
	_, _ = io.Copy(w, plain) //nolint:gosec // the service compressed it itself
	return nil
}
