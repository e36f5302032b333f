package ticket

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

// Keys verifies codes with the signer's key, and with keys that signed before
// it or will sign after it.
type Keys struct {
	all  []rest.TicketKey
	byID map[string]ed25519.PublicKey
}

// NewKeys returns the signer's key and others: comma-separated base64
// (standard) Ed25519 public keys of 32 bytes, possibly none.
func NewKeys(signer *Signer, others string) (*Keys, error) {
	k := &Keys{byID: map[string]ed25519.PublicKey{}}
	k.add(signer.key.Public().(ed25519.PublicKey))
	if strings.TrimSpace(others) == "" {
		return k, nil
	}
	n := 0
	for text := range strings.SplitSeq(others, ",") {
		n++
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("TICKET_PUBLIC_KEYS: number %d is not base64 of 32 bytes", n)
		}
		k.add(raw)
	}
	return k, nil
}

// add skips a key that is already present, as happens during rotation.
func (k *Keys) add(key ed25519.PublicKey) {
	id := keyID(key)
	if k.byID[id] != nil {
		return
	}
	k.byID[id] = key
	k.all = append(k.all, rest.TicketKey{
		Kty: "OKP", Crv: "Ed25519", Use: "sig", Alg: "EdDSA", Kid: id, X: base64.RawURLEncoding.EncodeToString(key),
	})
}

// Public returns all keys; the one for new codes is first.
func (k *Keys) Public() []rest.TicketKey { return k.all }

// Verify returns a code's claims, or an error if none of the keys signed it.
func (k *Keys) Verify(code string) (Claims, error) {
	var c Claims
	parts := strings.Split(code, ".")
	if len(parts) != 4 || parts[0] != version {
		return c, errors.New("ticket: not a code")
	}
	key := k.byID[parts[1]]
	if key == nil {
		return c, fmt.Errorf("ticket: no key %q", parts[1])
	}
	signed := code[:strings.LastIndexByte(code, '.')]
	signature, err := base64.RawURLEncoding.DecodeString(parts[3])
	// Accept only the canonical encoding: the decoder ignores line breaks and
	// the spare bits of the last character.
	if err != nil || base64.RawURLEncoding.EncodeToString(signature) != parts[3] || !ed25519.Verify(key, []byte(signed), signature) {
		return c, errors.New("ticket: the signature is wrong")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return c, fmt.Errorf("ticket: %w", err)
	}
	return c, json.Unmarshal(payload, &c)
}

func keyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:4])
}
