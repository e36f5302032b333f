package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"
)

// Limit allows Max counts of Key within Window, which begins with the first one.
type Limit struct {
	Key    string
	Max    int
	Window time.Duration
}

// Counters counts what limits allow. It never fails: if its store is down, it
// counts in this process.
type Counters interface {
	// Wait returns how long a limit stays reached, or 0 if none is.
	Wait(ctx context.Context, limits []Limit) time.Duration
	// Add counts once for each limit. reached means that one of them is reached
	// with this count, and was not before.
	Add(ctx context.Context, limits []Limit) (reached bool)
	// Take counts once for each limit, unless one of them is reached: then it
	// counts nothing and returns what Wait returns.
	Take(ctx context.Context, limits []Limit) time.Duration
	// Reset sets the counts to zero.
	Reset(ctx context.Context, limits []Limit)
}

// Limits on failed log-ins within FailureWindow, for the sum of all strangers
// within StrangerWindow. A device from which somebody has logged in to the
// account before has a limit of its own, so that strangers can't lock people out;
// everybody else shares the other limits.
const (
	FailuresPerDevice    = 10
	FailuresPerNetwork   = 100
	FailuresByStrangers  = 100
	FailuresOfOneAccount = 10 // from one network
	FailureWindow        = 15 * time.Minute
	StrangerWindow       = time.Hour
)

const (
	// mailsPerAccount is how many mails one can request for an account per hour.
	mailsPerAccount = 5
	hour            = time.Hour
)

// Limits refuses guesses and floods.
type Limits struct {
	Counters Counters
	Keys     *Keys
	// PerNetwork is how many registrations, and how many mails, one network can
	// request per hour. Registrations is how many there can be in total per hour.
	// 0 means no limit.
	PerNetwork, Registrations int
}

// Blocked returns how long log-ins with an e-mail are refused, or 0 if they are
// allowed.
func (l *Limits) Blocked(ctx context.Context, email string, from Client) time.Duration {
	return l.Counters.Wait(ctx, l.failures(email, from))
}

// Failed counts a failure. lockedOut means that it is the one that begins a
// lock-out.
func (l *Limits) Failed(ctx context.Context, email string, from Client) (lockedOut bool) {
	return l.Counters.Add(ctx, l.failures(email, from))
}

// Succeeded resets the failures of the account at this device or in this
// network, but not the others: an attacker who tries many accounts could log in
// to their own in between.
func (l *Limits) Succeeded(ctx context.Context, email string, from Client) {
	l.Counters.Reset(ctx, l.failures(email, from)[:1])
}

// failures returns the limits on failed log-ins.
func (l *Limits) failures(email string, from Client) []Limit {
	account := digest(email)
	if device, ok := l.Keys.Device(email, from.Device); ok {
		return []Limit{{"login:device:" + account + ":" + device, FailuresPerDevice, FailureWindow}}
	}
	network := Network(from.Address)
	return []Limit{
		{"login:account:" + account + ":" + network, FailuresOfOneAccount, FailureWindow},
		{"login:network:" + network, FailuresPerNetwork, FailureWindow},
		{"login:strangers:" + account, FailuresByStrangers, StrangerWindow},
	}
}

// Register counts a registration. Error: *TooManyError.
func (l *Limits) Register(ctx context.Context, from Client) error {
	return l.take(ctx, Limit{"register:network:" + Network(from.Address), l.PerNetwork, hour},
		Limit{"register:total", l.Registrations, hour})
}

// Mail counts a mail that a client requests for an e-mail. Error: *TooManyError.
func (l *Limits) Mail(ctx context.Context, email string, from Client) error {
	return l.take(ctx, Limit{"mail:account:" + digest(email), mailsPerAccount, hour},
		Limit{"mail:network:" + Network(from.Address), l.PerNetwork, hour})
}

// Notice counts a mail that nobody has requested. Error: *TooManyError.
func (l *Limits) Notice(ctx context.Context, email string) error {
	return l.take(ctx, Limit{"mail:account:" + digest(email), mailsPerAccount, hour})
}

func (l *Limits) take(ctx context.Context, limits ...Limit) error {
	var set []Limit
	for _, limit := range limits {
		if limit.Max > 0 {
			set = append(set, limit)
		}
	}
	if wait := l.Counters.Take(ctx, set); wait > 0 {
		return &TooManyError{RetryAfter: wait}
	}
	return nil
}

// digest returns a hash of an e-mail, so that the counters don't show who logs
// in.
func digest(email string) string {
	sum := sha256.Sum256([]byte(email))
	return hex.EncodeToString(sum[:16])
}

// Network returns the network of an IP address as far as one customer of a
// provider has it: an IPv4 address, or the /64 of an IPv6 address.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}
