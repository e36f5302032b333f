package auth

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/frontrow-tickets/frontrow/pkg/clock"
)

func TestNetworkIsAnIPv4AddressOrAnIPv6Prefix(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
		"unknown": "unknown", "": "",
	} {
		if got := Network(address); got != want {
			t.Errorf("Network(%q) = %q, want %q", address, got, want)
		}
	}
}

func newLimits(t *testing.T) (*Limits, *clock.Manual) {
	t.Helper()
	c := clock.NewManual(time.Now())
	return &Limits{Counters: &MemoryCounters{Clock: c}, Keys: testKeys(t), PerNetwork: 20, Registrations: 30}, c
}

func TestStrangersCannotLockAnAccountForItsDevices(t *testing.T) {
	l, c := newLimits(t)
	own := Client{Address: "198.51.100.1", Device: l.Keys.NewDevice(email, "")}
	blocked := func(from Client) bool { return l.Blocked(t.Context(), email, from) > 0 }
	for i := range FailuresByStrangers { // from as many networks as it takes
		stranger := Client{Address: fmt.Sprintf("192.0.2.%d", i/5)}
		if blocked(stranger) {
			t.Fatalf("blocked after %d failures from %s", i, stranger.Address)
		}
		l.Failed(t.Context(), email, stranger)
	}
	if !blocked(Client{Address: "203.0.113.9"}) {
		t.Error("a stranger from another network can go on guessing")
	}
	if blocked(own) {
		t.Error("strangers have locked the account for a device that has logged in before")
	}
	c.Advance(FailureWindow + time.Second)
	if !blocked(Client{Address: "203.0.113.9"}) {
		t.Error("strangers may go on guessing within the hour")
	}
	if blocked := l.Blocked(t.Context(), "other@example.com", Client{Address: "192.0.2.1"}) > 0; blocked {
		t.Error("the account's failures block another account")
	}
}

func TestFailuresAreLimitedPerDeviceAndPerNetwork(t *testing.T) {
	l, c := newLimits(t)
	device := Client{Address: "192.0.2.1", Device: l.Keys.NewDevice(email, "")}
	same := Client{Address: "192.0.2.1"}
	for range FailuresPerDevice - 1 {
		l.Failed(t.Context(), email, device)
	}
	if l.Blocked(t.Context(), email, device) > 0 {
		t.Error("blocked one failure below the limit")
	}
	if !l.Failed(t.Context(), email, device) || l.Blocked(t.Context(), email, device) == 0 {
		t.Error("a device that guesses is not locked out")
	}
	if l.Blocked(t.Context(), email, same) > 0 {
		t.Error("the device's failures block its network")
	}
	for range FailuresOfOneAccount {
		l.Failed(t.Context(), email, same)
	}
	if l.Blocked(t.Context(), email, same) == 0 || l.Blocked(t.Context(), email, Client{Address: "192.0.2.2"}) > 0 {
		t.Error("failures must block the account in their network only")
	}
	l.Succeeded(t.Context(), email, same)
	if l.Blocked(t.Context(), email, same) > 0 || l.Blocked(t.Context(), email, device) == 0 {
		t.Error("a success must reset the failures in its network only")
	}
	for i := range FailuresPerNetwork - FailuresOfOneAccount {
		l.Failed(t.Context(), fmt.Sprintf("guessed-%d@example.com", i), same)
	}
	l.Succeeded(t.Context(), email, same)
	if l.Blocked(t.Context(), email, same) == 0 {
		t.Error("a network that guesses at many accounts is not blocked")
	}
	c.Advance(FailureWindow + time.Second)
	if l.Blocked(t.Context(), email, same) > 0 || l.Blocked(t.Context(), email, device) > 0 {
		t.Error("blocked after the window")
	}
}

func TestIPv6NetworkSharesItsLimit(t *testing.T) {
	l, _ := newLimits(t)
	for i := range FailuresOfOneAccount {
		l.Failed(t.Context(), email, Client{Address: fmt.Sprintf("2001:db8::%d", i)})
	}
	if l.Blocked(t.Context(), email, Client{Address: "2001:db8::ffff"}) == 0 {
		t.Error("another address of the same /64 can go on guessing")
	}
	if l.Blocked(t.Context(), email, Client{Address: "2001:db8:0:1::1"}) > 0 {
		t.Error("another /64 is blocked")
	}
}

func TestDeviceCookieIsValidForItsAccountOnly(t *testing.T) {
	keys := testKeys(t)
	value := keys.NewDevice(email, "")
	id, ok := keys.Device(email, value)
	if !ok || id == "" {
		t.Fatalf("Device = %q, %v", id, ok)
	}
	for name, v := range map[string]string{
		"empty": "", "cut": value[:len(value)-4], "no base64": "*" + value[1:], "changed": changed(value),
	} {
		if _, ok := keys.Device(email, v); ok {
			t.Errorf("a value that is %s was accepted", name)
		}
	}
	if _, ok := keys.Device("other@example.com", value); ok {
		t.Error("another account accepts it")
	}
	if _, ok := testKeys(t).Device(email, value); ok {
		t.Error("another key accepts it")
	}
	if again := keys.NewDevice(email, value); again != value {
		t.Error("a device that is known gets a new id, and new tries with it")
	}
}

func changed(value string) string {
	if value[0] == 'A' {
		return "B" + value[1:]
	}
	return "A" + value[1:]
}

func TestRegistrationsAreLimitedPerNetworkAndInTotal(t *testing.T) {
	l, c := newLimits(t)
	refused := func(from string) bool {
		var tooMany *TooManyError
		return errors.As(l.Register(t.Context(), Client{Address: from}), &tooMany) && tooMany.RetryAfter > 0
	}
	for i := range 20 {
		if refused("192.0.2.1") {
			t.Fatalf("registration %d was refused", i+1)
		}
	}
	if !refused("192.0.2.1") {
		t.Error("registration 21 of a network was allowed")
	}
	for i := range 10 {
		if refused(fmt.Sprintf("198.51.100.%d", i)) {
			t.Fatalf("registration %d of 30 in total was refused", 21+i)
		}
	}
	if !refused("203.0.113.1") {
		t.Error("registration 31 of 30 was allowed")
	}
	c.Advance(time.Hour + time.Second)
	if refused("192.0.2.1") {
		t.Error("refused in the next hour")
	}
	l.PerNetwork, l.Registrations = 0, 0
	for range 100 {
		if refused("192.0.2.1") {
			t.Fatal("refused without a limit")
		}
	}
}

func TestRequestedMailsAreLimitedPerAccountAndPerNetwork(t *testing.T) {
	l, _ := newLimits(t)
	for i := range mailsPerAccount {
		if err := l.Mail(t.Context(), email, Client{Address: fmt.Sprintf("192.0.2.%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if l.Mail(t.Context(), email, Client{Address: "198.51.100.1"}) == nil || l.Notice(t.Context(), email) == nil {
		t.Error("an account gets more mails than allowed")
	}
	for i := range 20 {
		if err := l.Mail(t.Context(), fmt.Sprintf("%d@example.com", i), Client{Address: "203.0.113.1"}); err != nil {
			t.Fatal(err)
		}
	}
	if l.Mail(t.Context(), "other@example.com", Client{Address: "203.0.113.1"}) == nil {
		t.Error("a network requests more mails than allowed")
	}
	if err := l.Notice(t.Context(), "other@example.com"); err != nil {
		t.Errorf("a refused mail was counted: %v", err)
	}
}
