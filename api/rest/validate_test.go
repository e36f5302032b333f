package rest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

const event = `{"name":"N","venue_id":"0193b3a0-2222-7abc-8def-000000000002","starts_at":"2027-03-01T19:00:00Z","ends_at":"2027-03-01T22:00:00Z",
	"time_zone":"Europe/Vienna","currency":"EUR","sale_starts_at":"2026-11-01T00:00:00Z","sale_ends_at":"2027-03-01T18:00:00Z",
	"ticket_types":[{"name":"A","category":"front","price":1}]}`

func TestValidateNamesEveryWrongField(t *testing.T) {
	scan := func(id string) string { return `{"scan_id":"` + id + `","code":"x"}` }
	for name, tc := range map[string]struct {
		schema, body string
		want         []string // "field code message" each
	}{
		"nothing wrong":    {"NewEvent", event, nil},
		"what is missing":  {"RoleChange", `{}`, []string{"role required is required"}},
		"null":             {"RoleChange", `{"role":null}`, []string{"role required must not be null"}},
		"a null allowed":   {"EventPatch", `{"hold_seconds":null}`, nil},
		"another type":     {"RoleChange", `{"role":1}`, []string{"role wrong_type must be a string, not a number"}},
		"one of two types": {"EventPatch", `{"hold_seconds":"x"}`, []string{"hold_seconds wrong_type must be null or a whole number, not a string"}},
		"a choice":         {"RoleChange", `{"role":"emperor"}`, []string{"role unknown must be customer, organizer or admin"}},
		"unknown fields": {"RoleChange", `{"role":"admin","x":1,"a":1}`, []string{
			"a unknown_field does not belong here", "x unknown_field does not belong here",
		}},
		"lengths": {"Registration", `{"email":"a@b.example","password":"seven77","name":""}`, []string{
			"name required must not be empty", "password too_short must have at least 8 characters",
		}},
		"characters, not bytes": {"Registration", `{"email":"a@b.example","password":"` + strings.Repeat("ä", 128) + `","name":"A"}`, nil},
		"a longer password": {"Registration", `{"email":"a@b.example","password":"` + strings.Repeat("ä", 129) + `","name":"A"}`, []string{
			"password too_long must have at most 128 characters",
		}},
		"space around an address": {"Registration", `{"email":" A@B.Example ","password":"12345678","name":"A"}`, nil},
		"a display name": {"Registration", `{"email":"A <a@b.example>","password":"12345678","name":"A"}`, []string{
			"email invalid must be an e-mail address",
		}},
		"ranges": {"EventPatch", `{"hold_seconds":4,"max_seats_per_buyer":51}`, []string{
			"hold_seconds out_of_range must be at least 5", "max_seats_per_buyer out_of_range must be at most 50",
		}},
		"inside a list": {"NewEvent", strings.Replace(event, `"price":1`, `"price":-1.5,"id":"ö"`, 1), []string{
			"ticket_types[0].id invalid must look like early-bird (pattern ^[A-Za-z0-9_-]{1,36}$)",
			"ticket_types[0].price wrong_type must be a whole number",
		}},
		"a price beyond all prices": {"NewEvent", strings.Replace(event, `"price":1`, `"price":100000000001`, 1), []string{
			"ticket_types[0].price out_of_range must be at most 100000000000",
		}},
		"a choice in a map": {"AvailabilityDelta", `{"block":"12","version":4,"seats":{"12-45":"taken"}}`, []string{
			"seats.12-45 unknown must be available, held, sold or blocked",
		}},
		"too many items": {"EventPatch", `{"ticket_types":[` + strings.Repeat(`{"name":"A","category":"a","price":1},`, 20) + `{"name":"A","category":"a","price":1}]}`, []string{
			"ticket_types too_many must have at most 20 items",
		}},
		"formats": {"EventPatch", `{"venue_id":"7","starts_at":"2027-02-30T00:00:00Z"}`, []string{
			"starts_at invalid must be an RFC 3339 time, such as 2027-05-01T19:30:00Z", "venue_id invalid must be a UUID",
		}},
		"a scan's id of version 7": {"NewScan", scan("0193b3a0-6666-7abc-8def-000000000006"), nil},
		"a scan's id of version 4": {"NewScan", scan("7f0c7a39-6f67-4b54-9d3c-0a4bb0a5c0de"), []string{
			"scan_id invalid must look like 0193b3a0-6666-7abc-8def-000000000006 (pattern ^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$)",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			var invalid *rest.Invalid
			if err := rest.Validate(tc.schema, []byte(tc.body)); errors.As(err, &invalid) {
				for _, f := range invalid.Fields {
					got = append(got, f.Field+" "+f.Code+" "+f.Message)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(tc.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

func TestValidateRefusesWhatIsNotOneObject(t *testing.T) {
	for _, body := range []string{``, `{`, `{} {}`, `[]`, `"x"`, `null`} {
		err := rest.Validate("RoleChange", []byte(body))
		var invalid *rest.Invalid
		if err == nil || errors.As(err, &invalid) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestValidateNamesAHundredFieldsAtMost(t *testing.T) {
	var invalid *rest.Invalid
	err := rest.Validate("EventPatch", []byte(`{"ticket_types":[`+strings.Repeat(`{},`, 200)+`{}]}`))
	if !errors.As(err, &invalid) || len(invalid.Fields) != 100 {
		t.Errorf("got %v", err)
	}
}

func TestCheckTakesValues(t *testing.T) {
	if err := rest.Check(rest.RoleChange{Role: "admin"}); err != nil {
		t.Error(err)
	}
	if err := rest.Check(rest.RoleChange{Role: "emperor"}); err == nil || err.Error() != "role must be customer, organizer or admin" {
		t.Errorf("got %v", err)
	}
}
