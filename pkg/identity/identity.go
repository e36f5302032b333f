// Package identity tells a service who is calling, by a short-lived token with
// a MAC (HMAC-SHA256). The gateway shares a different key with each service, so
// that a service can forge tokens only for itself. A service refuses a request
// without a token.
package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Header carries the token between gateway and services.
const Header = "X-Frontrow-Identity"

// Lifetime is how long a token is valid. A verifier's clock may differ by
// leeway.
const (
	Lifetime = 30 * time.Second
	leeway   = 5 * time.Second
)

// keySize is the minimum size of a key in bytes.
const keySize = 32

// Role determines what an account may do.
type Role string

// Roles.
const (
	Anonymous Role = "anonymous"
	Customer  Role = "customer"
	Organizer Role = "organizer"
	Admin     Role = "admin"
	// Service is another service, which may act on behalf of a user.
	Service Role = "service"
)

// Identity is the caller of a request.
type Identity struct {
	// UserID is uuid.Nil for an anonymous caller.
	UserID uuid.UUID
	Role   Role
	Email  string
	// Verified means that the user has verified the e-mail.
	Verified bool
	// Recent means that the user has entered the password or second factor
	// recently. Verified and Recent are always set for services.
	Recent bool
	// RequestID is not part of the token: it has its own header.
	RequestID string
}

// IsAnonymous reports whether the caller is not logged in.
func (i Identity) IsAnonymous() bool { return i.UserID == uuid.Nil }

// CanOrganize reports whether the caller may create venues and events.
func (i Identity) CanOrganize() bool { return i.Role == Organizer || i.Role == Admin }

// parseKeys decodes comma-separated base64 (standard) keys of 32 bytes or more.
func parseKeys(keys string) ([]key, error) {
	var all []key
	for k := range strings.SplitSeq(keys, ",") {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(k))
		if err != nil || len(secret) < keySize {
			return nil, errors.New("identity: a key is not base64 of at least 32 bytes")
		}
		sum := sha256.Sum256(append([]byte("frontrow key id "), secret...))
		all = append(all, key{keyID(sum[:4]), secret})
	}
	return all, nil
}

// Signer makes tokens for one service.
type Signer struct {
	audience string
	key      key
	now      func() time.Time
}

// NewSigner returns a signer of tokens for the service audience. Keys are
// base64, comma-separated; the first one signs.
func NewSigner(audience, keys string) (*Signer, error) {
	all, err := parseKeys(keys)
	if err != nil {
		return nil, err
	}
	return &Signer{audience: audience, key: all[0], now: time.Now}, nil
}

// At returns a signer that uses the clock now.
func (s *Signer) At(now func() time.Time) *Signer {
	return &Signer{audience: s.audience, key: s.key, now: now}
}

// Sign returns a token for id that is valid for Lifetime.
func (s *Signer) Sign(id Identity) string {
	b := make([]byte, 0, 256)
	b = append(b, s.key.id[:]...)
	expires := uint64(s.now().Add(Lifetime).Unix())
	b = binary.BigEndian.AppendUint64(b, uint64(id.flags())<<flagShift|expires)
	b = append(b, id.UserID[:]...)
	b = append(b, byte(len(id.Role)))
	b = append(b, id.Role...)
	b = append(b, id.Email...)
	return base64.RawURLEncoding.EncodeToString(s.key.mac(b, s.audience, b))
}

// Verifier checks the tokens for one service.
type Verifier struct {
	audience string
	keys     map[keyID]acceptedKey
	now      func() time.Time
}

type acceptedKey struct {
	key
	// serviceOnly requires the role Service in tokens with this key.
	serviceOnly bool
}

// NewVerifier returns a verifier of tokens for the service audience. Keys are
// base64, comma-separated: there is more than one while a key is being rotated.
func NewVerifier(audience, keys string) (*Verifier, error) {
	v := &Verifier{audience: audience, keys: map[keyID]acceptedKey{}, now: time.Now}
	return v, v.add(keys, false)
}

// AcceptService makes the verifier also accept tokens signed with keys, the
// keys of another service. Those tokens must have the role Service.
func (v *Verifier) AcceptService(keys string) error { return v.add(keys, true) }

func (v *Verifier) add(keys string, serviceOnly bool) error {
	all, err := parseKeys(keys)
	for _, k := range all {
		if known, ok := v.keys[k.id]; ok && known.serviceOnly != serviceOnly {
			return errors.New("identity: the gateway and a service share the same key")
		}
		v.keys[k.id] = acceptedKey{k, serviceOnly}
	}
	return err
}

// At returns a verifier that uses the clock now.
func (v *Verifier) At(now func() time.Time) *Verifier {
	return &Verifier{audience: v.audience, keys: v.keys, now: now}
}

// Errors of Verify.
var (
	errMalformed = errors.New("identity: the token is malformed")
	errForged    = errors.New("identity: the token is not signed with a key of this service")
	errExpired   = errors.New("identity: the token has expired")
	errRole      = errors.New("identity: a service may not act as someone else")
)

// Verify returns the identity in a token, or an error if the token is forged,
// expired, or for another service.
func (v *Verifier) Verify(token string) (Identity, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < minToken {
		return Identity{}, errMalformed
	}
	signed, mac := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	k, ok := v.keys[keyID(signed)]
	if !ok || !hmac.Equal(mac, k.mac(nil, v.audience, signed)) {
		return Identity{}, errForged
	}
	head, rest := binary.BigEndian.Uint64(signed[len(k.id):]), signed[len(k.id)+8:]
	expires := time.Unix(int64(head&(1<<flagShift-1)), 0)
	if v.now().After(expires.Add(leeway)) {
		return Identity{}, errExpired
	}
	id := Identity{UserID: uuid.UUID(rest[:16])}
	id.setFlags(byte(head >> flagShift))
	n, rest := int(rest[16]), rest[17:]
	if n > len(rest) {
		return Identity{}, errMalformed
	}
	id.Role, id.Email = Role(rest[:n]), string(rest[n:])
	if k.serviceOnly && id.Role != Service {
		return Identity{}, errRole
	}
	return id, nil
}

// A token is base64url of
//
//	key id (4 bytes), flags (1), expiry in Unix seconds (7), user id (16),
//	length of the role (1), role, e-mail address, MAC (32)
//
// Tokens without flags had an expiry of 8 bytes, the first of which was 0. Their
// verifiers read a token with flags correctly, except that it never expires.
//
// The MAC is HMAC-SHA256 over the audience, a zero byte, and the preceding
// fields.
const minToken = 4 + 8 + 16 + 1 + sha256.Size

// flagShift is the position of the flags in the 8 bytes of flags and expiry.
const flagShift = 56

// Bits of the flags.
const (
	// hasFlags is set in every token with flags.
	hasFlags byte = 1 << iota
	verifiedFlag
	recentFlag
)

func (i Identity) flags() byte {
	flags := hasFlags
	if i.Verified || i.Role == Service {
		flags |= verifiedFlag
	}
	if i.Recent || i.Role == Service {
		flags |= recentFlag
	}
	return flags
}

// setFlags sets Verified and Recent. A token without flags has both: its
// gateway is older than the requirements.
func (i *Identity) setFlags(flags byte) {
	old := flags&hasFlags == 0
	i.Verified = old || flags&verifiedFlag != 0
	i.Recent = old || flags&recentFlag != 0
}

// keyID identifies a key without revealing it.
type keyID [4]byte

type key struct {
	id     keyID
	secret []byte
}

// mac appends the MAC of a token's fields to b.
func (k key) mac(b []byte, audience string, fields []byte) []byte {
	h := hmac.New(sha256.New, k.secret)
	_, _ = io.WriteString(h, audience)
	_, _ = h.Write([]byte{0})
	_, _ = h.Write(fields)
	return h.Sum(b)
}

type contextKey struct{}

// NewContext returns a context that carries id.
func NewContext(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// FromContext returns the caller's identity, or an anonymous one if ctx has
// none.
func FromContext(ctx context.Context) Identity {
	if id, ok := ctx.Value(contextKey{}).(Identity); ok {
		return id
	}
	return Identity{Role: Anonymous}
}
