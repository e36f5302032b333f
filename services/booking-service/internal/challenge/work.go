package challenge

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

const (
	// lifetime is how long a challenge can be solved.
	lifetime = 10 * time.Minute
	// maxBits takes a browser hours.
	maxBits = 32
	// headSize is the size of a challenge without its MAC.
	headSize = 1 + 8
)

// proofOfWork is a challenge that the server need not remember. It is the
// base64url form of
//
//	bits (1) | when it expires, in Unix seconds (8) | HMAC-SHA256 (32)
//
// and the MAC covers the event and the user too. A solution is solved if the
// SHA-256 of "challenge:solution" begins with that many zero bits.
type proofOfWork struct {
	bits int
	key  []byte
}

func newProofOfWork(difficulty int, key []byte) (*proofOfWork, error) {
	derived, err := hkdf.Key(sha256.New, key, nil, "frontrow queue challenge", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the key of challenges: %w", err)
	}
	return &proofOfWork{bits: difficulty, key: derived}, nil
}

// Challenge implements Verifier.
func (p *proofOfWork) Challenge(event, user uuid.UUID, now time.Time) rest.QueueChallenge {
	if p.bits == 0 {
		return rest.QueueChallenge{Kind: rest.QueueChallengeKindNone}
	}
	b := binary.BigEndian.AppendUint64([]byte{byte(p.bits)}, uint64(now.Add(lifetime).Unix()))
	b = append(b, p.mac(b, event, user)...)
	return rest.QueueChallenge{
		Kind: rest.QueueChallengeKindProofOfWork, Bits: p.bits, Challenge: base64.RawURLEncoding.EncodeToString(b),
	}
}

// Solved implements Verifier.
func (p *proofOfWork) Solved(
	_ context.Context, event, user uuid.UUID, req rest.PlaceRequest, _ string, now time.Time,
) (bool, error) {
	if p.bits == 0 {
		return true, nil
	}
	difficulty, ok := p.open(req.Challenge, event, user, now)
	return ok && zeros(sha256.Sum256([]byte(req.Challenge+":"+req.Solution))) >= difficulty, nil
}

// open returns the difficulty of a challenge. ok is false if it is not a
// challenge of the event and user, or has expired.
func (p *proofOfWork) open(challenge string, event, user uuid.UUID, now time.Time) (difficulty int, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	if err != nil || len(b) != headSize+sha256.Size || !hmac.Equal(b[headSize:], p.mac(b[:headSize], event, user)) {
		return 0, false
	}
	return int(b[0]), now.Unix() <= int64(binary.BigEndian.Uint64(b[1:headSize]))
}

func (p *proofOfWork) mac(head []byte, event, user uuid.UUID) []byte {
	h := hmac.New(sha256.New, p.key)
	h.Write(head)
	h.Write(event[:])
	h.Write(user[:])
	return h.Sum(nil)
}

// zeros counts the zero bits at the beginning of a hash.
func zeros(hash [sha256.Size]byte) int {
	return bits.LeadingZeros64(binary.BigEndian.Uint64(hash[:]))
}
