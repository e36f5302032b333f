package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/baseline"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/eventlog"
	api "github.com/frontrow-tickets/frontrow/services/booking-service/internal/httpapi"
)

func init() { addBaselines = addBaselineRoutes }

// addBaselineRoutes adds the baselines that the load test compares holds with,
// and the switches it needs on the admin listener.
func addBaselineRoutes(ctx context.Context, routes *httpapi.API, admin *http.ServeMux, engine *eventlog.Engine, store eventlog.Store) error {
	address := os.Getenv("BENCH_POSTGRES_URL")
	if address == "" {
		return errors.New("BENCH_POSTGRES_URL is not set: a build for the load test needs a database for the baseline")
	}
	rows, err := baseline.Open(ctx, address)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, rows.Close)
	api.AddBaselines(routes, engine, rows)

	handle := func(pattern string, h func(r *http.Request) (any, error)) {
		admin.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answer, err := h(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	handle("PUT /debug/bench/round-limit", func(r *http.Request) (any, error) {
		n, err := strconv.Atoi(r.FormValue("n"))
		eventlog.SetRoundLimit(n)
		return n, err
	})
	handle("PUT /debug/bench/forget", func(r *http.Request) (any, error) {
		id, err := uuid.Parse(r.FormValue("event"))
		if err == nil {
			engine.Forget(eventlog.IDOf(id))
		}
		return id, err
	})
	handle("GET /debug/bench/owner", func(r *http.Request) (any, error) {
		id, err := uuid.Parse(r.FormValue("event"))
		return engine.Owns(eventlog.IDOf(id)), err
	})
	handle("POST /debug/bench/holds", func(r *http.Request) (any, error) {
		id, err := uuid.Parse(r.FormValue("event"))
		first, firstErr := strconv.Atoi(r.FormValue("first"))
		pairs, pairsErr := strconv.Atoi(r.FormValue("pairs"))
		atOnce, atOnceErr := strconv.Atoi(r.FormValue("at_once"))
		if err := errors.Join(err, firstErr, pairsErr, atOnceErr); err != nil {
			return nil, err
		}
		accepted, took := engine.HoldPairs(r.Context(), id, first, pairs, atOnce)
		return map[string]any{"accepted": accepted, "seconds": took.Seconds()}, nil
	})
	handle("PUT /debug/bench/rows", func(r *http.Request) (any, error) {
		id, err := uuid.Parse(r.FormValue("event"))
		if err != nil {
			return nil, err
		}
		var event *booking.Event
		if err := engine.Read(r.Context(), eventlog.IDOf(id), func(s *booking.State) { event = s.Event }); err != nil {
			return nil, err
		}
		if event == nil {
			return nil, errors.New("no such event is on sale")
		}
		return "prepared", rows.Prepare(r.Context(), event)
	})
	handle("POST /debug/bench/append", func(r *http.Request) (any, error) {
		length, err := time.ParseDuration(r.FormValue("length"))
		if err != nil {
			return nil, err
		}
		return baseline.Append(r.Context(), store, length)
	})
	return nil
}
