//go:build bench

package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strconv"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"

	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/baseline"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/booking"
	api "github.com/frontrow-tickets/frontrow/services/booking-service/internal/httpapi"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/redis"
)

func init() { addBaselines = addBaselineRoutes }

// addBaselineRoutes adds what the load test compares holds with, and the
// switches it needs, on the admin listener.
func addBaselineRoutes(ctx context.Context, routes *httpapi.API, admin *http.ServeMux, service *booking.Service,
	locks *redis.Locks, client *goredis.Client,
) error {
	url := os.Getenv("BENCH_POSTGRES_URL")
	if url == "" {
		return errors.New("BENCH_POSTGRES_URL is not set: a build for the load test needs a database to compare with")
	}
	rows, err := baseline.Open(ctx, url)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, rows.Close)
	api.AddBaselines(routes, service, rows)

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
		booking.SetRoundLimit(n)
		return n, err
	})
	handle("PUT /debug/bench/rows", func(r *http.Request) (any, error) {
		id, err := uuid.Parse(r.FormValue("event"))
		if err != nil {
			return nil, err
		}
		sale, err := service.Sale(r.Context(), id)
		if err == nil && sale == nil {
			err = errors.New("no such event is on sale")
		}
		if err != nil {
			return nil, err
		}
		return "prepared", rows.Prepare(r.Context(), sale.Event())
	})
	handle("POST /debug/bench/locks", func(r *http.Request) (any, error) {
		return loadLocks(r.Context(), locks, client, r.FormValue("length"), r.FormValue("workers"))
	})
	return nil
}
