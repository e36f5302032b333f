package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id, from OWASP's Password Storage Cheat Sheet.
const (
	argonMemory  = 19 * 1024 // KiB
	argonTime    = 2
	argonThreads = 1
	saltBytes    = 16
	hashBytes    = 32
)

// slotTimeout is how long a request waits for a hashing slot.
const slotTimeout = 8 * time.Second

// Hasher hashes and verifies passwords, at most as many at once as there are
// cores: a burst of log-ins waits instead of exhausting memory.
type Hasher struct {
	slots chan struct{}
	// newPasswords limits the hashes of new passwords that have a slot or queue
	// for one, so that a flood of registrations leaves log-ins half of the slots.
	newPasswords chan struct{}
	// derive is argon2.IDKey; a test replaces it to count calls.
	derive func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
	// dummy is verified in place of the hash of a missing account.
	dummy string
}

// NewHasher returns a hasher.
func NewHasher() *Hasher { return newHasher(runtime.GOMAXPROCS(0)) }

func newHasher(slots int) *Hasher {
	return &Hasher{
		slots:        make(chan struct{}, slots),
		newPasswords: make(chan struct{}, max(1, slots/2)),
		derive:       argon2.IDKey,
		dummy:        encodePHC(make([]byte, saltBytes), make([]byte, hashBytes)),
	}
}

// inSlot runs fn in a hashing slot. Errors: ErrBusy after slotTimeout, ctx's,
// fn's.
func (h *Hasher) inSlot(ctx context.Context, fn func() error) error { return within(ctx, fn, h.slots) }

// within runs fn with a place in each of the channels.
func within(ctx context.Context, fn func() error, places ...chan struct{}) error {
	timer := time.NewTimer(slotTimeout)
	defer timer.Stop()
	for _, place := range places {
		select {
		case place <- struct{}{}:
		case <-timer.C:
			return ErrBusy
		case <-ctx.Done():
			return ctx.Err()
		}
		defer func() { <-place }()
	}
	return fn()
}

// Hash returns the PHC string of a new password. Error: ErrBusy.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("salt: %w", err)
	}
	var phc string
	err := within(ctx, func() error {
		phc = encodePHC(salt, h.derive([]byte(password), salt, argonTime, argonMemory, argonThreads, hashBytes))
		return nil
	}, h.newPasswords, h.slots)
	return phc, err
}

// matches reports whether password has the hash in phc, with the parameters in
// phc. The caller holds a slot.
func (h *Hasher) matches(phc, password string) (bool, error) {
	p, err := decodePHC(phc)
	if err != nil {
		return false, err
	}
	got := h.derive([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.hash)))
	return subtle.ConstantTimeCompare(got, p.hash) == 1, nil
}

func encodePHC(salt, hash []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(hash))
}

type phcParts struct {
	memory, time uint32
	threads      uint8
	salt, hash   []byte
}

var errPHC = errors.New("not an argon2id PHC string")

func decodePHC(phc string) (phcParts, error) {
	var p phcParts
	fields := strings.Split(phc, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, errPHC
	}
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil || p.time == 0 || p.threads == 0 {
		return p, errPHC
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(fields[4]); err != nil {
		return p, errPHC
	}
	if p.hash, err = base64.RawStdEncoding.DecodeString(fields[5]); err != nil || len(p.hash) == 0 {
		return p, errPHC
	}
	return p, nil
}
