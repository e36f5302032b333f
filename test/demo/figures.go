package main

import (
	"fmt"
	"time"
)

// figures are the demo's results; amounts are in cents.
type figures struct {
	Tried            int   `json:"tried"`
	Won              int   `json:"won"`
	Refused          int   `json:"refused"`
	Failed           int   `json:"failed"`
	Confirmed        int   `json:"confirmed"`
	Declined         int   `json:"declined"`
	Expired          int   `json:"expired"`
	Cancelled        int   `json:"cancelled"`
	PaymentFailed    int   `json:"payment_failed"`
	Refunded         int   `json:"refunded"`
	Captured         int64 `json:"money_captured"`
	MoneyRefunded    int64 `json:"money_refunded"`
	SoldTwice        int   `json:"sold_twice"`
	LedgerDifference int64 `json:"ledger_difference"`

	soldTwice, inconsistent    []string
	storedConfirmed, unsettled int
	firstFailure               string
}

// add adds one buyer's results.
func (f *figures) add(b *buyer) {
	f.Tried += b.tried
	f.Won += b.won
	f.Refused += b.refused
	f.Failed += b.failed
	if b.failure != nil && f.firstFailure == "" {
		f.firstFailure = b.failure.Error()
	}
	for _, booking := range b.bookings {
		switch booking.Status {
		case "confirmed":
			f.Confirmed++
		case "expired":
			f.Expired++
		case "cancelled":
			f.Cancelled++
		case "payment_failed":
			f.PaymentFailed++
		}
	}
	for _, p := range b.paid {
		switch p.Status {
		case "failed":
			f.Declined++
		case "refunded":
			f.Refunded++
		}
	}
}

func (f *figures) print(took time.Duration) {
	rows := []struct{ name, value, note string }{
		{"tried", fmt.Sprint(f.Tried), fmt.Sprintf("holds requested by %d buyers", buyerCount)},
		{"won", fmt.Sprint(f.Won), "answered 201"},
		{"refused", fmt.Sprint(f.Refused), "answered 409"},
		{"confirmed", fmt.Sprint(f.Confirmed), "bookings, paid"},
		{"declined", fmt.Sprint(f.Declined), "payments"},
		{"expired", fmt.Sprint(f.Expired), "bookings, unpaid"},
		{"payment failed", fmt.Sprint(f.PaymentFailed), "bookings that expired after a decline"},
		{"cancelled", fmt.Sprint(f.Cancelled), "bookings"},
		{"refunded", fmt.Sprint(f.Refunded), "payments"},
		{"money captured", euros(f.Captured), "in the provider's ledger"},
		{"money refunded", euros(f.MoneyRefunded), "in the provider's ledger"},
		{"seats sold twice", fmt.Sprint(f.SoldTwice), "counted in Cassandra"},
		{"ledger difference", euros(f.LedgerDifference), "captured − refunded − price of confirmed bookings"},
	}
	fmt.Println()
	for _, r := range rows {
		fmt.Printf("  %-18s %14s   %s\n", r.name, r.value, r.note)
	}
	fmt.Printf("\n  %.0f s in all; the figures are in %s\n\n", took.Seconds(), resultFile)
}

func euros(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d EUR", sign, cents/100, cents%100)
}
