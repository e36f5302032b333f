package check

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/test/audit"
	"github.com/frontrow-tickets/frontrow/test/client"
	"github.com/frontrow-tickets/frontrow/test/robustness/history"
	"github.com/frontrow-tickets/frontrow/test/robustness/traffic"
)

const event = "00000000-0000-7000-8000-0000000000ee"

var (
	ada, bob     = uuid.MustParse("00000000-0000-7000-8000-00000000000a"), uuid.MustParse("00000000-0000-7000-8000-00000000000b")
	paid, lapsed = uuid.MustParse("00000000-0000-7000-8000-000000000001"), uuid.MustParse("00000000-0000-7000-8000-000000000002")
	payment      = uuid.MustParse("00000000-0000-7000-8000-0000000000f1")
)

// scenario is a small round: Bob's hold on seat 1-0 expires, then Ada holds the
// seat, pays, and keeps it.
type scenario struct {
	*Observations
	calls []history.Call
	state *audit.State
}

func newScenario() *scenario {
	recorder := history.NewRecorder()
	at := func(second float64) time.Time { return recorder.Began.Add(time.Duration(second * 1e9)) }
	pointer := func(t time.Time) *time.Time { return &t }
	s := &scenario{
		Observations: &Observations{
			Recorder: recorder, Sales: []*traffic.Sale{{ID: event, Name: "Night 1"}},
			Users: map[string]string{ada.String(): "ada", bob.String(): "bob"},
			Views: []traffic.View{{Start: 1, End: 2, OK: true}}, Gateways: []string{"a", "b"},
		},
		state: &audit.State{
			Owners: map[string]uuid.UUID{"1-0": paid},
			Bookings: []audit.StoredBooking{
				stored(lapsed, bob, "expired", "1-0", func(b *audit.StoredBooking) {
					b.Reason, b.CreatedAt, b.ExpiresAt, b.EndedAt = "expired", at(1), at(9), pointer(at(9.2))
				}),
				stored(paid, ada, "confirmed", "1-0", func(b *audit.StoredBooking) {
					b.CreatedAt, b.ExpiresAt, b.ConfirmedAt = at(10), at(18), pointer(at(11.5))
				}),
			},
			Payments: []audit.StoredPayment{{ID: payment, BookingID: paid, Status: "succeeded", Amount: 4517, Captured: 4517}},
			Known: map[uuid.UUID]audit.KnownBooking{
				lapsed: {Amount: 4517, Currency: "EUR", Cancelled: true}, paid: {Amount: 4517, Currency: "EUR"},
			},
		},
	}
	s.States = map[string]*audit.State{event: s.state}
	s.call("bob", history.Hold, 1, 1.1, history.Done, func(c *history.Call) {
		c.Key, c.Want, c.Bookings = "key-1", []string{"1-0"}, []client.Booking{answer(lapsed, "held")}
	})
	s.call("ada", history.Hold, 10, 10.1, history.Done, func(c *history.Call) {
		c.Key, c.Want, c.Bookings = "key-2", []string{"1-0"}, []client.Booking{answer(paid, "held")}
	})
	s.call("ada", history.Pay, 11, 11.1, history.Done, func(c *history.Call) {
		c.Key, c.BookingID, c.Payment = "key-3", paid.String(), &client.Payment{ID: payment.String()}
	})
	s.read("ada", history.ReadBooking, 11.6, paid, "confirmed")
	s.read("bob", history.ListOwn, 30, lapsed, "expired")
	s.read("ada", history.ListOwn, 30, paid, "confirmed")
	return s
}

func (s *scenario) call(who string, kind history.Kind, start, end float64, outcome history.Outcome, fill func(*history.Call)) {
	c := history.Call{Who: who, Kind: kind, Start: int64(start * 1e9), End: int64(end * 1e9), Outcome: outcome, EventID: event}
	fill(&c)
	s.calls = append(s.calls, c)
}

func (s *scenario) read(who string, kind history.Kind, start float64, id uuid.UUID, status string) {
	s.call(who, kind, start, start+0.1, history.Done, func(c *history.Call) { c.Bookings = []client.Booking{answer(id, status)} })
}

func answer(id uuid.UUID, status string) client.Booking {
	return client.Booking{ID: id.String(), EventID: event, Status: status, Seats: []client.BookedSeat{{ID: "1-0"}}, Total: client.Money{Amount: 4517}}
}

func stored(id, user uuid.UUID, status, seat string, fill func(*audit.StoredBooking)) audit.StoredBooking {
	b := audit.StoredBooking{ID: id, UserID: user, Status: status, Total: 4517, Seats: []string{seat}}
	fill(&b)
	return b
}

// violated names the checks that found a violation.
func (s *scenario) violated() []string {
	for _, c := range s.calls {
		s.Recorder.Add(c)
	}
	var ids []string
	for _, v := range All(s.Observations) {
		if !v.OK() && !slices.Contains(ids, v.ID) {
			ids = append(ids, v.ID)
		}
	}
	return ids
}

func TestCorrectRoundHasNoViolation(t *testing.T) {
	if got := newScenario().violated(); len(got) > 0 {
		t.Errorf("violated: %v", got)
	}
}

func TestViolationIsFound(t *testing.T) {
	tests := []struct {
		name string
		do   func(*scenario)
		// want is the check that must find it; others may too.
		want string
	}{
		{"the seat was taken over before the deadline", func(s *scenario) {
			s.calls[1].Start, s.calls[1].End = 3e9, 4e9
		}, "I1"},
		{"two live bookings of one seat", func(s *scenario) {
			s.state.Bookings[0].Status, s.state.Bookings[0].EndedAt, s.state.Bookings[0].Reason = "held", nil, ""
		}, "I1"},
		{"a booking is read as held after its seat was given to another", func(s *scenario) {
			s.read("bob", history.ReadBooking, 12, lapsed, "held")
		}, "I1"},
		{"a booking was confirmed after it had ended", func(s *scenario) {
			at := s.Recorder.Began.Add(10 * time.Second)
			s.state.Bookings[0].ConfirmedAt = &at
		}, "I1"},
		{"the seat belongs to someone else", func(s *scenario) { s.state.Owners["1-0"] = lapsed }, "I1"},
		{"a seat was sold twice, and one of the two has ended", func(s *scenario) { s.state.SoldTwice = []string{"1-0"} }, "I1"},
		{"the log has a forbidden operation", func(s *scenario) { s.state.Inconsistent = []string{"entry 7"} }, "I1"},
		{"a replica counted an oversold seat", func(s *scenario) { s.Oversold = 1 }, "I1"},
		{"a booking ended for an unexpected reason", func(s *scenario) {
			s.state.Bookings[0].Reason, s.state.Bookings[0].Status = "payment_late", "cancelled"
		}, "I1"},
		{"an acknowledged booking is lost", func(s *scenario) { s.state.Bookings = s.state.Bookings[1:] }, "I2"},
		{"an acknowledged payment is lost", func(s *scenario) { s.state.Payments = nil }, "I2"},
		{"a booking is not in its buyer's list", func(s *scenario) { s.calls = s.calls[:len(s.calls)-1] }, "I2"},
		{"an acknowledged cancellation is lost", func(s *scenario) {
			s.call("ada", history.Cancel, 20, 20.1, history.Done, func(c *history.Call) { c.BookingID = paid.String() })
		}, "I2"},
		{"money is kept for a booking that has ended", func(s *scenario) {
			s.state.Payments = append(s.state.Payments, audit.StoredPayment{ID: uuid.New(), BookingID: lapsed, Status: "succeeded", Amount: 4517, Captured: 4517})
		}, "I3"},
		{"a cent is missing", func(s *scenario) { s.state.Payments[0].Captured-- }, "I3"},
		{"a confirmed booking is refunded", func(s *scenario) { s.state.Payments[0].Refunded = 4517 }, "I3"},
		{"payment-service does not know a booking", func(s *scenario) { delete(s.state.Known, lapsed) }, "outbox"},
		{"payment-service does not know that a booking has ended", func(s *scenario) {
			s.state.Known[lapsed] = audit.KnownBooking{Amount: 4517, Currency: "EUR"}
		}, "outbox"},
		{"a hold ended 6 s after its deadline", func(s *scenario) {
			at := s.state.Bookings[0].ExpiresAt.Add(6 * time.Second)
			s.state.Bookings[0].EndedAt = &at
			s.calls[1].Start, s.calls[1].End = 16e9, 17e9
		}, "I4"},
		{"a buyer saw a hold 6 s after its deadline", func(s *scenario) {
			s.read("bob", history.ReadBooking, 15.1, lapsed, "held")
		}, "I4"},
		{"one key made two bookings", func(s *scenario) {
			s.call("bob", history.Hold, 12, 12.1, history.Done, func(c *history.Call) {
				c.Key, c.Want, c.Bookings = "key-1", []string{"1-0"}, []client.Booking{answer(paid, "held")}
			})
		}, "I5"},
		{"a refused hold exists", func(s *scenario) { s.calls[0].Outcome, s.calls[0].Bookings = history.NotDone, nil }, "I5"},
		{"a refused payment exists", func(s *scenario) { s.calls[2].Outcome, s.calls[2].Payment = history.NotDone, nil }, "I5"},
		{"nobody could see the event, and one gateway was up", func(s *scenario) {
			s.Views = append(s.Views, traffic.View{Start: 3, End: 6})
			s.Outages = []Outage{{Of: NoGateway, Process: "a", Start: 2, End: 7}}
		}, "I6"},
		{"nobody could see the event, and the second gateway was down before", func(s *scenario) {
			s.Views = append(s.Views, traffic.View{Start: 5, End: 6})
			s.Outages = []Outage{{Of: NoGateway, Process: "a", Start: 2, End: 7}, {Of: NoGateway, Process: "b", Start: 2, End: 4}}
		}, "I6"},
		{"nobody could see the event", func(s *scenario) { s.Views = append(s.Views, traffic.View{Start: 3, End: 4}) }, "I6"},
		{"nobody could see the event, long after event-service was back", func(s *scenario) {
			s.Views = append(s.Views, traffic.View{Start: 9e9, End: 10e9})
			s.Outages = []Outage{{Of: NoSource, Start: 3e9, End: 5e9}}
		}, "I6"},
		{"something never ended", func(s *scenario) { s.Open = []string{"a payment is processing"} }, "settled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScenario()
			tt.do(s)
			if got := s.violated(); !slices.Contains(got, tt.want) {
				t.Errorf("violated: %v, want %s", got, tt.want)
			}
		})
	}
}

func TestExcusedOrUnknownIsNoViolation(t *testing.T) {
	tests := []struct {
		name string
		do   func(*scenario)
	}{
		{"a hold whose answer was lost, and that exists", func(s *scenario) {
			s.calls[0].Outcome, s.calls[0].Bookings = history.Unknown, nil
		}},
		{"a hold whose answer was lost, and that does not exist", func(s *scenario) {
			s.call("bob", history.Hold, 12, 13, history.Unknown, func(c *history.Call) { c.Key, c.Want = "key-9", []string{"1-0"} })
		}},
		{"a payment whose answer was lost", func(s *scenario) { s.calls[2].Outcome, s.calls[2].Payment = history.Unknown, nil }},
		{"a hold that could not end while there was no replica", func(s *scenario) {
			at := s.state.Bookings[0].ExpiresAt.Add(20 * time.Second)
			s.state.Bookings[0].EndedAt = &at
			s.Outages = []Outage{{Of: NoBooking, Start: 8e9, End: 27e9}}
			s.calls[1].Start, s.calls[1].End = 9e9, 31e9
			s.calls[3].Start, s.calls[3].End = 32e9, 33e9
			s.calls[2].Start, s.calls[2].End = 31e9, 32e9
			confirmed := s.Recorder.Began.Add(32 * time.Second)
			s.state.Bookings[1].ConfirmedAt, s.state.Bookings[1].ExpiresAt = &confirmed, confirmed
			for i := 4; i < 6; i++ {
				s.calls[i].Start, s.calls[i].End = 40e9, 41e9
			}
		}},
		{"nobody could see the event, and there was no gateway", func(s *scenario) {
			s.Views = append(s.Views, traffic.View{Start: 3, End: 4})
			s.Outages = []Outage{{Of: NoGateway, Process: "a", Start: 2, End: 5}, {Of: NoGateway, Process: "b", Start: 2, End: 5}}
		}},
		{"nobody could see the event while a deploy replaced one gateway and the other was killed", func(s *scenario) {
			// One gateway was up at any time; neither was up for the whole
			// request.
			s.Views = append(s.Views, traffic.View{Start: 3, End: 9})
			s.Outages = []Outage{{Of: NoGateway, Process: "a", Start: 1, End: 5}, {Of: NoGateway, Process: "b", Start: 6, End: 20}}
		}},
		{"nobody could see the event, and event-service had only just come back", func(s *scenario) {
			s.Views = append(s.Views, traffic.View{Start: 7e9, End: 8e9})
			s.Outages = []Outage{{Of: NoSource, Start: 3e9, End: 5e9}}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScenario()
			tt.do(s)
			if got := s.violated(); len(got) > 0 {
				t.Errorf("violated: %v", got)
			}
		})
	}
}
