package identity

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

func seed(b byte) string {
	s := make([]byte, ed25519.SeedSize)
	s[0] = b
	return base64.StdEncoding.EncodeToString(s)
}

func signer(t *testing.T, b byte) *Signer {
	t.Helper()
	s, err := NewSigner(seed(b))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTokenSaysWhoAsks(t *testing.T) {
	old, current := signer(t, 1), signer(t, 2)
	verifier, err := NewVerifier(old.PublicKey() + ", " + current.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Identity{
		{UserID: uuid.Must(uuid.NewV7()), Role: Organizer, Email: "o@example.com", RequestID: "r"}, {Role: Anonymous, RequestID: "r"},
	} {
		for _, s := range []*Signer{old, current} {
			token, err := s.Sign(want)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := verifier.Verify(token); err != nil || got != want {
				t.Errorf("got %+v %v, want %+v", got, err, want)
			}
		}
	}
}

func TestTokensThatAreNotTheGatewaysAreRefused(t *testing.T) {
	s := signer(t, 1)
	verifier, err := NewVerifier(s.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	sign := func(s *Signer, change func(*jwt.Token, *claims)) string {
		now := time.Now()
		c := claims{Role: Admin, RegisteredClaims: jwt.RegisteredClaims{Issuer: issuer, ExpiresAt: jwt.NewNumericDate(now.Add(time.Minute))}}
		token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, &c)
		token.Header["kid"] = s.kid
		if change != nil {
			change(token, &c)
		}
		signed, err := token.SignedString(s.key)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	if _, err := verifier.Verify(sign(s, nil)); err != nil {
		t.Fatalf("a good one: %v", err)
	}
	good := sign(s, nil)
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims{Role: Admin}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"of another key":           sign(signer(t, 2), nil),
		"under another's key id":   sign(signer(t, 2), func(token *jwt.Token, _ *claims) { token.Header["kid"] = s.kid }),
		"expired":                  sign(s, func(_ *jwt.Token, c *claims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Minute)) }),
		"that never expires":       sign(s, func(_ *jwt.Token, c *claims) { c.ExpiresAt = nil }),
		"of another issuer":        sign(s, func(_ *jwt.Token, c *claims) { c.Issuer = "somebody" }),
		"with a strange subject":   sign(s, func(_ *jwt.Token, c *claims) { c.Subject = "root" }),
		"unsigned":                 unsigned,
		"with a changed signature": good[:len(good)-20] + strings.Repeat("A", 20),
		"that is none":             "x",
	} {
		if id, err := verifier.Verify(token); err == nil {
			t.Errorf("a token %s was accepted: %+v", name, id)
		}
	}
}

func TestVerifierGoesByTheClockItIsGiven(t *testing.T) {
	s := signer(t, 1)
	token, err := s.Sign(Identity{Role: Anonymous})
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(s.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.At(func() time.Time { return time.Now().Add(time.Hour) }).Verify(token); err == nil {
		t.Error("an hour later the token is still good")
	}
	s.now = func() time.Time { return time.Now().Add(time.Hour) }
	if token, err = s.Sign(Identity{Role: Anonymous}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.At(s.now).Verify(token); err != nil {
		t.Errorf("by the signer's clock: %v", err)
	}
}

func TestKeysMustBeKeys(t *testing.T) {
	for _, key := range []string{"", "x", base64.StdEncoding.EncodeToString([]byte("short"))} {
		if _, err := NewSigner(key); err == nil {
			t.Errorf("private key %q was accepted", key)
		}
		if _, err := NewVerifier(key); err == nil {
			t.Errorf("public key %q was accepted", key)
		}
	}
}
