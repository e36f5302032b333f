package e2e

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
	"github.com/frontrow-tickets/frontrow/test/client"
)

// pages reads a list to its end, two at a time. list returns a page and the next
// cursor.
func pages[T any](t *testing.T, query url.Values, list func(url.Values) ([]T, string, error)) (all []T) {
	t.Helper()
	if query == nil {
		query = url.Values{}
	}
	query.Set("limit", "2")
	for {
		page, next, err := list(query)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > 2 {
			t.Fatalf("a page of %d", len(page))
		}
		all = append(all, page...)
		if next == "" {
			return all
		}
		query.Set("cursor", next)
	}
}

func TestAdminFindsAccounts(t *testing.T) {
	mark := "Mark" + strings.ReplaceAll(uuid.NewString(), "-", "")
	var want []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		email := name + newEmail()
		if err := visitor().Register(t.Context(), email, password, "Ms "+mark+"_"+name); err != nil {
			t.Fatal(err)
		}
		want = append(want, email)
	}
	emails := func(users []client.User) (out []string) {
		for _, u := range users {
			out = append(out, u.Email)
		}
		return out
	}
	search := func(q string) []string {
		t.Helper()
		return emails(pages(t, url.Values{"q": {q}}, func(query url.Values) ([]client.User, string, error) {
			page, err := admin.Users(t.Context(), query)
			return page.Items, page.NextCursor, err
		}))
	}
	if diff := cmp.Diff(want, search(strings.ToUpper(mark))); diff != "" {
		t.Errorf("by name:\n%s", diff)
	}
	if diff := cmp.Diff(want[2:3], search(want[2][5:25])); diff != "" {
		t.Errorf("by a part of the e-mail:\n%s", diff)
	}
	if got := search(mark + "%"); len(got) != 0 {
		t.Errorf("a percent sign finds %v", got)
	}
	if got := search(mark + "_c"); !slices.Equal(got, want[2:3]) {
		t.Errorf("an underscore finds %v", got)
	}
}

func TestOrganizerListsOwnVenues(t *testing.T) {
	organizer, rival := newOrganizer(t), newOrganizer(t)
	var want []string
	for range 5 {
		want = append([]string{must(organizer.CreateVenue(t.Context(), plan(1, 2)))(t).ID}, want...)
	}
	must(rival.CreateVenue(t.Context(), plan(1, 2)))(t)
	var got []string
	for _, v := range pages(t, nil, func(query url.Values) ([]client.OwnVenue, string, error) {
		page, err := organizer.Venues(t.Context(), query)
		return page.Items, page.NextCursor, err
	}) {
		got = append(got, v.ID)
		if v.SeatCount != 32 || len(v.Categories) != 3 || v.Name != "Small Hall" {
			t.Errorf("venue %+v", v)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSalesReportMatchesPayments(t *testing.T) {
	s := newSale(t, nil)
	first, second, third := newBuyer(t), newBuyer(t), newBuyer(t)
	buy(t, first, s.seats("1-0", "1-1", "2-0"))
	buy(t, second, s.best("floor", 3))
	cancelled := buy(t, third, s.best("rear", 2))
	must(third.CancelBooking(t.Context(), cancelled.ID))(t)
	hold(t, third, s.best("rear", 4))
	paid := int64(2*frontPrice + rearPrice + 3*floorPrice)

	var sales client.Sales
	testkit.Eventually(t, "the sales are counted", func() bool {
		sales = must(s.organizer.Sales(t.Context(), s.event.ID))(t)
		return sales.Revenue.Amount == paid && sales.Seats == client.SeatCounts{Available: 130 - 6 - 4, Held: 4, Sold: 6}
	})
	want := []client.TicketTypeSales{
		{ID: "front", Name: "Front", Seats: client.SeatCounts{Available: 98, Sold: 2}, Revenue: client.Money{Amount: 2 * frontPrice, Currency: "EUR"}},
		{ID: "rear", Name: "Rear", Seats: client.SeatCounts{Available: 5, Held: 4, Sold: 1}, Revenue: client.Money{Amount: rearPrice, Currency: "EUR"}},
		{ID: "floor", Name: "Floor", Seats: client.SeatCounts{Available: 17, Sold: 3}, Revenue: client.Money{Amount: 3 * floorPrice, Currency: "EUR"}},
	}
	if diff := cmp.Diff(want, sales.TicketTypes); diff != "" {
		t.Error(diff)
	}
	sold, revenue := 0, int64(0)
	for _, b := range sales.OverTime.Buckets {
		sold, revenue = sold+b.Sold, revenue+b.Revenue
		if b.StartsAt.Unix()%int64(sales.OverTime.BucketSeconds) != 0 || b.StartsAt.After(sales.AsOf) {
			t.Errorf("a bucket starts at %v", b.StartsAt)
		}
	}
	if sold != 6 || revenue != paid || sales.OverTime.BucketSeconds != 10 {
		t.Errorf("over time: %+v", sales.OverTime)
	}
	if again := must(admin.Sales(t.Context(), s.event.ID))(t); again.Revenue != sales.Revenue {
		t.Errorf("the admin sees %+v", again.Revenue)
	}
	checkLedger(t, s, paid)
}

func TestAttendeesAreListedInPagesAndAsCSV(t *testing.T) {
	v := plan(4, 25)
	v.Sections[1].Name = "=Rear" // a spreadsheet must not interpret it as a formula
	s := newSaleIn(t, v, func(e *client.NewEvent) { e.MaxSeatsPerBuyer = 50 })
	ada, bob := newBuyer(t), newBuyer(t)
	booking := buy(t, ada, s.seats("1-0", "1-1", "2-0"))
	for range 2 {
		buy(t, bob, s.best("front", 20)) // together long enough to be streamed
	}
	gone := buy(t, bob, s.seats("1-50"))
	must(bob.CancelBooking(t.Context(), gone.ID))(t)
	hold(t, bob, s.seats("1-60"))
	tickets := must(ada.Tickets(t.Context(), booking.ID))(t)
	if got := s.scan(t, newScanID(), tickets[0].Code); got.Result != "admitted" {
		t.Fatalf("scanned: %+v", got)
	}

	people := pages(t, nil, func(query url.Values) ([]client.Attendee, string, error) {
		page, err := s.organizer.Attendees(t.Context(), s.event.ID, query)
		return page.Items, page.NextCursor, err
	})
	if len(people) != 43 {
		t.Fatalf("%d attendees: %+v", len(people), people)
	}
	lines := must(s.organizer.AttendeesCSV(t.Context(), s.event.ID))(t)
	if len(lines) != 44 || strings.Join(lines[0], ",") != "ticket,section,row,seat,ticket type,holder,price,currency,order,booking,checked in at" {
		t.Fatalf("CSV: %q", lines)
	}
	seen := map[string]bool{}
	for i, p := range people {
		line := lines[i+1]
		seen[p.TicketID] = true
		if line[0] != p.TicketID || line[5] != p.Holder || line[6] != strconv.FormatInt(p.Price.Amount, 10) || line[8] != p.OrderNumber || line[9] != p.BookingID {
			t.Errorf("attendee %+v, CSV %q", p, line)
		}
		if in := p.TicketID == tickets[0].ID; in != !p.CheckedInAt.IsZero() || in != (line[10] != "") {
			t.Errorf("in: %+v, CSV %q", p, line)
		}
		if p.BookingID == booking.ID != (p.Holder == ada.user.Email) || p.Holder != ada.user.Email && p.Holder != bob.user.Email {
			t.Errorf("holder: %+v", p)
		}
		if strings.HasPrefix(p.SeatID, "2-") && line[1] != "'=Rear" {
			t.Errorf("a formula: %q", line)
		}
	}
	for _, ticket := range tickets {
		if !seen[ticket.ID] {
			t.Errorf("ticket %s is not listed", ticket.ID)
		}
	}
	if len(seen) != 43 {
		t.Errorf("%d different tickets", len(seen))
	}
}
