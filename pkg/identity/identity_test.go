package identity

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/uuid"
)

const service = "booking-service"

func testKey(b byte) string {
	k := make([]byte, keySize)
	k[0] = b
	return base64.StdEncoding.EncodeToString(k)
}

func signer(t *testing.T, keys string) *Signer {
	t.Helper()
	s, err := NewSigner(service, keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func verifier(t *testing.T, keys string) *Verifier {
	t.Helper()
	v, err := NewVerifier(service, keys)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTokenCarriesIdentity(t *testing.T) {
	v := verifier(t, testKey(1)+", "+testKey(2))
	for _, want := range []Identity{
		{UserID: uuid.Must(uuid.NewV7()), Role: Organizer, Email: "o@example.com"}, {Role: Anonymous}, {Role: Service}, {},
	} {
		for _, s := range []*Signer{signer(t, testKey(1)), signer(t, testKey(2)+","+testKey(3))} {
			if got, err := v.Verify(s.Sign(want)); err != nil || got != want {
				t.Errorf("got %+v %v, want %+v", got, err, want)
			}
		}
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	s, v := signer(t, testKey(1)), verifier(t, testKey(1))
	admin := Identity{UserID: uuid.Must(uuid.NewV7()), Role: Admin, Email: "a@example.com"}
	good := s.Sign(admin)
	ofAnother := signer(t, testKey(2)).Sign(admin)
	raw := func(token string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	forPayments, err := NewSigner("payment-service", testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	expired := s.At(func() time.Time { return time.Now().Add(-Lifetime - leeway - time.Second) })
	for name, token := range map[string]string{
		"of another key":         ofAnother,
		"under another's key id": base64.RawURLEncoding.EncodeToString(append(raw(good)[:4], raw(ofAnother)[4:]...)),
		"expired":                expired.Sign(admin),
		"for another service":    forPayments.Sign(admin),
		"that is empty":          "",
		"that is none":           "admin",
		"cut off":                good[:minToken],
	} {
		if id, err := v.Verify(token); err == nil {
			t.Errorf("a token %s was accepted: %+v", name, id)
		}
	}
	for i := range raw(good) {
		b := raw(good)
		b[i] ^= 1
		if id, err := v.Verify(base64.RawURLEncoding.EncodeToString(b)); err == nil {
			t.Errorf("a token with byte %d changed was accepted: %+v", i, id)
		}
	}
}

func TestServiceKeySignsServiceRoleOnly(t *testing.T) {
	v := verifier(t, testKey(1))
	if err := v.AcceptService(testKey(2)); err != nil {
		t.Fatal(err)
	}
	user := uuid.Must(uuid.NewV7())
	for _, role := range []Role{Service, Admin, Customer, Anonymous, ""} {
		token := signer(t, testKey(2)).Sign(Identity{UserID: user, Role: role})
		if _, err := v.At(time.Now).Verify(token); (err == nil) != (role == Service) {
			t.Errorf("%q: %v", role, err)
		}
	}
}

func TestServiceKeyMustNotBeTheGateways(t *testing.T) {
	if err := verifier(t, testKey(1)+","+testKey(2)).AcceptService(testKey(2)); err == nil {
		t.Error("a key that the gateway uses was accepted for a service")
	}
}

func TestTokenExpiryFollowsGivenClock(t *testing.T) {
	s, v := signer(t, testKey(1)), verifier(t, testKey(1))
	token := s.Sign(Identity{Role: Anonymous})
	later := func() time.Time { return time.Now().Add(time.Hour) }
	if _, err := v.At(later).Verify(token); err == nil {
		t.Error("an hour later the token is still good")
	}
	if _, err := v.At(later).Verify(s.At(later).Sign(Identity{Role: Anonymous})); err != nil {
		t.Errorf("by the signer's clock: %v", err)
	}
}

func TestInvalidKeysAreRefused(t *testing.T) {
	for _, keys := range []string{"", "x", base64.StdEncoding.EncodeToString([]byte("short")), testKey(1) + ","} {
		if _, err := NewSigner(service, keys); err == nil {
			t.Errorf("%q was accepted for signing", keys)
		}
		if _, err := NewVerifier(service, keys); err == nil {
			t.Errorf("%q was accepted for verifying", keys)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s, _ := NewSigner(service, testKey(1))
	v, _ := NewVerifier(service, testKey(1))
	token := s.Sign(Identity{UserID: uuid.Must(uuid.NewV7()), Role: Customer, Email: "buyer@frontrow.example"})
	for b.Loop() {
		if _, err := v.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	s, _ := NewSigner(service, testKey(1))
	id := Identity{UserID: uuid.Must(uuid.NewV7()), Role: Customer, Email: "buyer@frontrow.example"}
	for b.Loop() {
		s.Sign(id)
	}
}
