// Package ticket creates admission codes, signed with Ed25519 so that scanners
// can verify them offline.
package ticket

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"github.com/google/uuid"
)

// version is the prefix of every code.
const version = "FR1"

// Claims is the content of a code.
type Claims struct {
	Ticket  uuid.UUID `json:"t"`
	Booking uuid.UUID `json:"b"`
	Event   uuid.UUID `json:"e"`
	// Seat is "<block>-<index>".
	Seat string `json:"s"`
}

// Signer creates codes: FR1.<key id>.<claims>.<signature>, the latter two
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

// Code returns the signed code. Equal claims have equal codes.
func (s *Signer) Code(c Claims) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("ticket: %w", err)
	}
	signed := version + "." + s.kid + "." + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(s.key, []byte(signed))), nil
}

// quietZone is the white border that scanners need, in modules (ISO/IEC 18004).
const quietZone = 4

// QR returns a QR code of a code, as a PNG of 320 by 320 pixels.
func QR(code string) ([]byte, error) {
	const size = 320
	symbol, err := qr.Encode(code, qr.M, qr.Auto)
	if err == nil {
		modules := symbol.Bounds().Dx()
		side := size / (modules + 2*quietZone) * modules
		symbol, err = barcode.Scale(symbol, side, side)
	}
	if err != nil {
		return nil, fmt.Errorf("ticket: qr: %w", err)
	}
	canvas := image.NewGray(image.Rect(0, 0, size, size))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	border := (size - symbol.Bounds().Dx()) / 2
	draw.Draw(canvas, symbol.Bounds().Add(image.Pt(border, border)), symbol, image.Point{}, draw.Src)
	var buf bytes.Buffer
	if err := png.Encode(&buf, canvas); err != nil {
		return nil, fmt.Errorf("ticket: png: %w", err)
	}
	return buf.Bytes(), nil
}
