package httpapi

import (
	"errors"
	"testing"

	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
)

const event = `"event_id":"0193b3a0-3333-7abc-8def-000000000003"`

// TestHoldIsAsStrictAsTheContract compares the rules written for holds with the
// contract's.
func TestHoldIsAsStrictAsTheContract(t *testing.T) {
	for body, field := range map[string]string{
		`{` + event + `,"seat_ids":["1-0","1-1"]}`:                            "",
		`{` + event + `,"ticket_type_id":"front","quantity":2}`:               "",
		`{"seat_ids":["1-0"]}`:                                                "event_id",
		`{"event_id":"7","seat_ids":["1-0"]}`:                                 "event_id",
		`{` + event + `}`:                                                     "seat_ids",
		`{` + event + `,"seat_ids":[]}`:                                       "seat_ids",
		`{` + event + `,"seat_ids":["front row"]}`:                            "seat_ids[0]",
		`{` + event + `,"seat_ids":["1-0","1-0"]}`:                            "seat_ids[1]",
		`{` + event + `,"seat_ids":["1-0"],"quantity":0}`:                     "seat_ids",
		`{` + event + `,"seat_ids":["1-0"],"ticket_type_id":"a"}`:             "seat_ids",
		`{` + event + `,"ticket_type_id":"front"}`:                            "quantity",
		`{` + event + `,"ticket_type_id":"front","quantity":0}`:               "quantity",
		`{` + event + `,"quantity":1}`:                                        "ticket_type_id",
		`{` + event + `,"ticket_type_id":"front","quantity":"two"}`:           "quantity",
		`{` + event + `,"seat_ids":["1-0"],"quantity":null}`:                  "quantity",
		`{` + event + `,"seat_ids":["1-0"],"ticket_type_id":null}`:            "ticket_type_id",
		`{"event_id":7,"ticket_type_id":"front","quantity":2,"seat_ids":[1]}`: "event_id",
	} {
		t.Run(body, func(t *testing.T) {
			if err := rest.Validate("NewBooking", []byte(body)); (err != nil) != (field != "") {
				t.Errorf("the contract says %v", err)
			}
			request, err := decodeHold([]byte(body))
			if err == nil {
				_, err = holdOf(request)
			}
			if field == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if field == "" {
				return
			}
			var p *problem.Error
			if !errors.As(err, &p) || p.Code != "validation_failed" || len(p.Fields) == 0 || p.Fields[0].Field != field {
				t.Errorf("got %+v, want %s to be named", err, field)
			}
		})
	}
}

// BenchmarkDecodeHold shows what checking holds against the contract would cost.
func BenchmarkDecodeHold(b *testing.B) {
	body := []byte(`{` + event + `,"seat_ids":["12-45","12-46"]}`)
	b.Run("rules", func(b *testing.B) {
		for b.Loop() {
			request, err := decodeHold(body)
			if err == nil {
				_, err = holdOf(request)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("contract", func(b *testing.B) {
		for b.Loop() {
			request, err := httpapi.Parse[rest.NewBooking](body)
			if err == nil {
				_, err = holdOf(request)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
