// Package ticket makes the codes that get people in: signed with Ed25519, so
// that a door can check them without asking anybody.
package ticket

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"github.com/google/uuid"
)

// version begins every code.
const version = "FR1"

// Claims is what a code says.
type Claims struct {
	Ticket  uuid.UUID `json:"t"`
	Booking uuid.UUID `json:"b"`
	Event   uuid.UUID `json:"e"`
	// Seat is "<block>-<index>".
	Seat string `json:"s"`
}

// ID returns the id of the ticket for a booking's seat, always the same one
// (a UUIDv5 in the booking's name space).
func ID(booking uuid.UUID, seat string) uuid.UUID { return uuid.NewSHA1(booking, []byte(seat)) }

// Signer makes codes: FR1.<key id>.<claims>.<signature>, the latter two
// base64url without padding.
type Signer struct {
	key ed25519.PrivateKey
	kid string
}

// NewSigner returns a signer for a base64 (standard) 32-byte Ed25519 seed.
func NewSigner(seed string) (*Signer, error) {
	raw, err := base64.StdEncoding.DecodeString(seed)
	if err != nil || len(raw) != ed25519.SeedSize {
		return nil, errors.New("TICKET_SIGNING_KEY is not base64 of 32 bytes")
	}
	key := ed25519.NewKeyFromSeed(raw)
	return &Signer{key: key, kid: keyID(key.Public().(ed25519.PublicKey))}, nil
}

// PublicKey checks the codes.
func (s *Signer) PublicKey() ed25519.PublicKey { return s.key.Public().(ed25519.PublicKey) }

// Code returns the signed code; the same claims have the same code.
func (s *Signer) Code(c Claims) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("ticket: %w", err)
	}
	signed := version + "." + s.kid + "." + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(s.key, []byte(signed))), nil
}

// Verify returns what a code says, or an error if key did not sign it.
func Verify(key ed25519.PublicKey, code string) (Claims, error) {
	var c Claims
	cut := strings.LastIndexByte(code, '.')
	parts := strings.Split(code, ".")
	if cut < 0 || len(parts) != 4 || parts[0] != version || parts[1] != keyID(key) {
		return c, errors.New("ticket: not a code of this key")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[3])
	if err != nil || !ed25519.Verify(key, []byte(code[:cut]), signature) {
		return c, errors.New("ticket: the signature is wrong")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return c, fmt.Errorf("ticket: %w", err)
	}
	return c, json.Unmarshal(payload, &c)
}

// QR returns a code as a QR code, a PNG of 320 by 320 pixels.
func QR(code string) ([]byte, error) {
	symbol, err := qr.Encode(code, qr.M, qr.Auto)
	if err == nil {
		symbol, err = barcode.Scale(symbol, 320, 320)
	}
	if err != nil {
		return nil, fmt.Errorf("ticket: qr: %w", err)
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, symbol); err != nil {
		return nil, fmt.Errorf("ticket: png: %w", err)
	}
	return buf.Bytes(), nil
}

func keyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:4])
}
