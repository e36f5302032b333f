package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

func TestServicesRefuseRequestsThatBypassGateway(t *testing.T) {
	for process, path := range map[string]string{
		"auth-service": "/auth/me", "event-service": "/events", "booking-service-1": "/bookings", "payment-service-1": "/payments/" + newEventID(),
		"notification-service": "/bookings/" + newEventID() + "/tickets.pdf",
	} {
		address := must(running.Address(process))(t)
		direct := client.New("http://"+address+"/api/v1", nil)
		service := strings.TrimSuffix(process, "-1")
		other := map[bool]string{true: "auth-service", false: "event-service"}[service == "event-service"]
		longAgo := func() time.Time { return time.Now().Add(-time.Minute) }
		tests := []struct{ name, token, code string }{
			{"without an identity", "", "identity_required"},
			{"with a forged one", testkit.Forged(t, service), "identity_invalid"},
			{"with an expired one", gatewayIdentity(t, service).At(longAgo).Sign(identity.Identity{Role: identity.Admin}), "identity_invalid"},
			{"with one for another service", gatewayIdentity(t, other).Sign(identity.Identity{Role: identity.Admin}), "identity_invalid"},
			{"with one that is none", "admin", "identity_invalid"},
		}
		for _, tt := range tests {
			t.Run(process+" "+tt.name, func(t *testing.T) {
				r := client.Request{Method: http.MethodGet, Path: path}
				if tt.token != "" {
					r.Header = http.Header{identity.Header: {tt.token}}
				}
				resp := must(direct.Do(t.Context(), r))(t)
				if p := resp.Problem(); resp.Status != http.StatusUnauthorized || p.Code != tt.code {
					t.Errorf("got %d %s, want 401 %s", resp.Status, p.Code, tt.code)
				}
			})
		}
	}
}

// gatewayIdentity signs for a service as the gateway does.
func gatewayIdentity(t *testing.T, service string) *identity.Signer {
	t.Helper()
	return must(identity.NewSigner(service, identityKey(service)))(t)
}

// identityKey returns the key that a service shares with the gateway.
func identityKey(service string) string {
	return os.Getenv("FRONTROW_IDENTITY_KEY_" + strings.ToUpper(strings.ReplaceAll(service, "-", "_")))
}

func TestGatewayDropsIdentityHeadersOfClients(t *testing.T) {
	forged := testkit.Forged(t, "auth-service")
	resp := must(visitor().Do(t.Context(), client.Request{
		Method: http.MethodGet, Path: "/auth/me", Header: http.Header{identity.Header: {forged}},
	}))(t)
	if p := resp.Problem(); p.Code != "session_required" {
		t.Errorf("got %d %s, want session_required", resp.Status, p.Code)
	}
}

func TestRolesAndOwnership(t *testing.T) {
	s := newSale(t, nil)
	customer, stranger, rival := newBuyer(t), newBuyer(t), newOrganizer(t)
	booking := buy(t, customer, s.best("front", 1))
	ctx := t.Context()
	tests := []struct {
		name   string
		status int
		code   string
		call   func() error
	}{
		{"a customer creates a venue", 403, "forbidden", func() error { _, err := customer.CreateVenue(ctx, plan(1, 1)); return err }},
		{"a customer creates an event", 403, "forbidden", func() error { _, err := customer.CreateEvent(ctx, draftOf(s.venue)); return err }},
		{"a customer gives roles", 403, "forbidden", func() error { _, err := customer.SetRole(ctx, customer.user.ID, "admin"); return err }},
		{"an organizer gives roles", 403, "forbidden", func() error { _, err := rival.SetRole(ctx, rival.user.ID, "admin"); return err }},
		{"a customer cancels an event", 403, "forbidden", func() error { _, err := customer.CancelEvent(ctx, s.event.ID, ""); return err }},
		{"an organizer cancels another's event", 403, "forbidden", func() error { _, err := rival.CancelEvent(ctx, s.event.ID, ""); return err }},
		{"an organizer changes another's event", 403, "forbidden", func() error {
			_, err := rival.PatchEvent(ctx, s.event.ID, s.event.Version, map[string]any{"name": "Mine"})
			return err
		}},
		{"a stranger reads a booking", 404, "not_found", func() error { _, err := stranger.Booking(ctx, booking.ID); return err }},
		{"a stranger cancels a booking", 404, "not_found", func() error { _, err := stranger.CancelBooking(ctx, booking.ID); return err }},
		{"a stranger reads tickets", 404, "not_found", func() error { _, err := stranger.Tickets(ctx, booking.ID); return err }},
		{"a stranger pays", 404, "not_found", func() error { _, err := stranger.Pay(ctx, booking.ID, "pm_ok", ""); return err }},
		{"a customer pays for a booking nobody made", 404, "not_found", func() error { _, err := customer.Pay(ctx, newEventID(), "pm_ok", ""); return err }},
		{"a stranger reads a payment", 404, "not_found", func() error { _, err := stranger.Payment(ctx, booking.Payment.ID); return err }},
		{"a customer lists accounts", 403, "forbidden", func() error { _, err := customer.Users(ctx, nil); return err }},
		{"an organizer lists accounts", 403, "forbidden", func() error { _, err := rival.Users(ctx, nil); return err }},
		{"a customer lists venues", 403, "forbidden", func() error { _, err := customer.Venues(ctx, nil); return err }},
		{"a customer reads sales", 403, "forbidden", func() error { _, err := customer.Sales(ctx, s.event.ID); return err }},
		{"an organizer reads another's sales", 403, "forbidden", func() error { _, err := rival.Sales(ctx, s.event.ID); return err }},
		{"a customer lists attendees", 403, "forbidden", func() error { _, err := customer.Attendees(ctx, s.event.ID, nil); return err }},
		{"an organizer lists another's attendees", 403, "forbidden", func() error { _, err := rival.Attendees(ctx, s.event.ID, nil); return err }},
		{"an organizer lists another's attendees as CSV", 403, "forbidden", func() error { _, err := rival.AttendeesCSV(ctx, s.event.ID); return err }},
		{"a customer lets somebody in", 403, "forbidden", func() error { _, err := customer.CheckIn(ctx, s.event.ID, newScanID(), "x"); return err }},
		{"an organizer lets somebody in at another's", 403, "forbidden", func() error { _, err := rival.CheckIn(ctx, s.event.ID, newScanID(), "x"); return err }},
		{"an organizer reads another's scans", 403, "forbidden", func() error { _, err := rival.Scans(ctx, s.event.ID, nil); return err }},
		{"sales of an event nobody made", 404, "not_found", func() error { _, err := admin.Sales(ctx, newEventID()); return err }},
		{"attendees of an event nobody made", 404, "not_found", func() error { _, err := admin.Attendees(ctx, newEventID(), nil); return err }},
		{"a scan at an event nobody made", 404, "not_found", func() error { _, err := admin.CheckIn(ctx, newEventID(), newScanID(), "x"); return err }},
		{"nobody reads sales", 401, "session_required", func() error { _, err := visitor().Sales(ctx, s.event.ID); return err }},
		{"nobody lets somebody in", 401, "session_required", func() error { _, err := visitor().CheckIn(ctx, s.event.ID, newScanID(), "x"); return err }},
		{"nobody holds seats", 401, "session_required", func() error { _, err := visitor().Hold(ctx, s.seats("1-9"), ""); return err }},
		{"an invented session", 401, "session_invalid", func() error { _, err := visitor().WithSession(newKey()).Me(ctx); return err }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantCode(t, tt.call(), tt.status, tt.code) })
	}
	if got := must(customer.Booking(ctx, booking.ID))(t); got.Status != "confirmed" {
		t.Errorf("after all that the booking is %s", got.Status)
	}
}

func TestDraftIsShownToItsOrganizerOnly(t *testing.T) {
	organizer, rival := newOrganizer(t), newOrganizer(t)
	venue := must(organizer.CreateVenue(t.Context(), plan(1, 2)))(t)
	draft := must(organizer.CreateEvent(t.Context(), draftOf(venue)))(t)
	must(organizer.Event(t.Context(), draft.ID))(t)
	must(admin.Event(t.Context(), draft.ID))(t)
	for name, c := range map[string]*client.Client{"anonymous": visitor(), "another organizer": rival.Client} {
		_, err := c.Event(t.Context(), draft.ID)
		if !client.IsCode(err, "not_found") {
			t.Errorf("%s sees the draft: %v", name, err)
		}
	}
}
