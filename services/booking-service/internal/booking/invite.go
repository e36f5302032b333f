package booking

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"io"
	mathrand "math/rand/v2"
	"strings"

	"github.com/google/uuid"
)

// inviteAlphabet has no letters that look alike (Crockford's base 32).
const inviteAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// inviteLength gives codes of 60 bits: guessing one of 1,000 codes at 100
// tries a second would take ten million years.
const inviteLength = 12

// Invites makes invite codes.
type Invites struct{ Key []byte }

// Codes returns n invite codes such as K7M2-Q9XR-4TBD. The same idempotency
// key of a user gives the same codes; without one they are random.
func (i Invites) Codes(event, user uuid.UUID, key string, n int) []string {
	var seed [32]byte
	if key == "" {
		_, _ = rand.Read(seed[:]) // it never fails
	} else {
		mac := hmac.New(sha256.New, i.Key)
		_, _ = mac.Write(event[:])
		_, _ = mac.Write(user[:])
		_, _ = io.WriteString(mac, key)
		mac.Sum(seed[:0])
	}
	source := mathrand.NewChaCha8(seed)
	codes := make([]string, n)
	for c := range codes {
		bits := source.Uint64()
		var b strings.Builder
		for at := range inviteLength {
			if at > 0 && at%4 == 0 {
				b.WriteByte('-')
			}
			b.WriteByte(inviteAlphabet[bits&31])
			bits >>= 5
		}
		codes[c] = b.String()
	}
	return codes
}

// InviteHash returns the hash of an invite code as people type it: case, spaces
// and dashes don't matter, and O, I and L are read as digits. It is 0 only if
// the code is empty.
func InviteHash(code string) uint64 {
	code = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
	if code == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(code))
	return max(1, binary.BigEndian.Uint64(sum[:]))
}
