package psp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader carries a webhook's signature: t=<unix seconds>,v1=<hex of
// HMAC-SHA256 of t + "." + body with the shared secret>.
const SignatureHeader = "PSP-Signature"

// tolerance is the maximum age of a signature, and how far ahead it may be.
const tolerance = 5 * time.Minute

// Sign returns the signature of a body sent at the given time.
func Sign(secret string, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(sum(secret, t, body))
}

func sum(secret, t string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(h, "%s.", t)
	h.Write(body)
	return h.Sum(nil)
}

// Verify returns an error if the signature was not made with secret, is not for
// this body, or is outside the tolerance.
func Verify(secret, signature string, body []byte, now time.Time) error {
	t, v1, ok := strings.Cut(signature, ",")
	t, hasTime := strings.CutPrefix(t, "t=")
	v1, hasSum := strings.CutPrefix(v1, "v1=")
	if !ok || !hasTime || !hasSum {
		return errors.New("malformed signature")
	}
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		return errors.New("malformed signature time")
	}
	given, err := hex.DecodeString(v1)
	if err != nil || !hmac.Equal(given, sum(secret, t, body)) {
		return errors.New("wrong signature")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return fmt.Errorf("the signature is %v old", age.Round(time.Second))
	}
	return nil
}
