package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// deviceSize is the size of a device's random id in bytes.
const deviceSize = 16

// NewDevice returns the value of a cookie that proves only that somebody has
// logged in to the account with this e-mail from this device. A former value
// that is valid for the account is returned unchanged.
func (k *Keys) NewDevice(email, former string) string {
	if _, ok := k.Device(email, former); ok {
		return former
	}
	id := make([]byte, deviceSize)
	_, _ = rand.Read(id) // it never fails
	return base64.RawURLEncoding.EncodeToString(k.deviceMAC(id, email, id))
}

// Device returns the id of the device that has a cookie with this value, and
// whether it is valid for the account.
func (k *Keys) Device(email, value string) (id string, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || len(b) != deviceSize+sha256.Size {
		return "", false
	}
	raw := b[:deviceSize]
	return hex.EncodeToString(raw), hmac.Equal(b[deviceSize:], k.deviceMAC(nil, email, raw))
}

// deviceMAC appends the MAC of a device of an account to b.
func (k *Keys) deviceMAC(b []byte, email string, id []byte) []byte {
	h := hmac.New(sha256.New, k.devices)
	_, _ = h.Write(id)
	_, _ = h.Write([]byte(email))
	return h.Sum(b)
}
