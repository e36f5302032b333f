package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// keySize is the size of AUTH_KEY and of the keys derived from it, in bytes.
const keySize = 32

// Keys are derived from AUTH_KEY by HKDF (RFC 5869).
type Keys struct {
	// secrets encrypts the secrets of second factors (AES-256-GCM).
	secrets cipher.AEAD
	// devices authenticates device cookies (HMAC-SHA256).
	devices []byte
}

// NewKeys derives the keys from base64 (standard) of 32 random bytes.
func NewKeys(encoded string) (*Keys, error) {
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) != keySize {
		return nil, errors.New("AUTH_KEY is not base64 of 32 bytes")
	}
	derived, err := hkdf.Key(sha256.New, key, nil, "frontrow second factor", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	devices, err := hkdf.Key(sha256.New, key, nil, "frontrow device", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	secrets, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return &Keys{secrets: secrets, devices: devices}, nil
}

// seal encrypts a secret of an account: nonce, then ciphertext. It can't be
// opened as another account's.
func (k *Keys) seal(id uuid.UUID, secret []byte) []byte {
	nonce := make([]byte, k.secrets.NonceSize())
	_, _ = rand.Read(nonce) // it never fails
	return k.secrets.Seal(nonce, nonce, secret, id[:])
}

// open decrypts what seal has returned.
func (k *Keys) open(id uuid.UUID, sealed []byte) ([]byte, error) {
	n := k.secrets.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("decrypt secret: too short")
	}
	secret, err := k.secrets.Open(nil, sealed[:n], sealed[n:], id[:])
	if err != nil {
		return nil, fmt.Errorf("decrypt secret: %w", err)
	}
	return secret, nil
}
