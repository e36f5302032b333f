package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// AdmissionAudience is the audience of the signers and verifiers of admissions. They use the keys of
// booking-service, which signs; the gateway verifies.
const AdmissionAudience = "admission"

// Admission lets a user past an event's queue until a time.
type Admission struct {
	Event, User uuid.UUID
	// Until has a precision of seconds.
	Until time.Time
}

// An admission token is base64url of
//
//	key id (4 bytes), until in Unix seconds (8), event id (16), user id (16), MAC (32)
//
// The MAC is that of an identity token.
const admissionSize = 4 + 8 + 16 + 16 + sha256.Size

// Admit returns a token of a.
func (s *Signer) Admit(a Admission) string {
	b := make([]byte, 0, admissionSize)
	b = append(b, s.key.id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(a.Until.Unix()))
	b = append(b, a.Event[:]...)
	b = append(b, a.User[:]...)
	return base64.RawURLEncoding.EncodeToString(s.key.mac(b, s.audience, b))
}

// Admission returns the admission in a token. Error: the token is malformed or forged, or the admission has
// ended; there is no leeway.
func (v *Verifier) Admission(token string) (Admission, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != admissionSize {
		return Admission{}, errMalformed
	}
	signed, mac := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	k, ok := v.keys[keyID(signed)]
	if !ok || !hmac.Equal(mac, k.mac(nil, v.audience, signed)) {
		return Admission{}, errForged
	}
	a := Admission{
		Until: time.Unix(int64(binary.BigEndian.Uint64(signed[4:])), 0),
		Event: uuid.UUID(signed[12:]), User: uuid.UUID(signed[28:]),
	}
	if !v.now().Before(a.Until) {
		return Admission{}, errExpired
	}
	return a, nil
}
