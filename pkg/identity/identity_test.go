package identity

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
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
		{},
		{UserID: uuid.Must(uuid.NewV7()), Role: Organizer, Email: "o@example.com"},
		{Role: Anonymous},
		{Role: Customer, Verified: true},
		{Role: Customer, Recent: true},
		{Role: Customer, Verified: true, Recent: true},
		{Role: Service, Verified: true, Recent: true},
	} {
		for _, s := range []*Signer{signer(t, testKey(1)), signer(t, testKey(2)+","+testKey(3))} {
			if got, err := v.Verify(s.Sign(want)); err != nil || got != want {
				t.Errorf("got %+v %v, want %+v", got, err, want)
			}
		}
	}
}

func TestServicesAreAlwaysVerifiedAndRecent(t *testing.T) {
	got, err := verifier(t, testKey(1)).Verify(signer(t, testKey(1)).Sign(Identity{Role: Service}))
	if err != nil || !got.Verified || !got.Recent {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A gateway and a service of different versions run together during a rolling
// upgrade. The former format has an expiry of 8 bytes in place of the flags and
// the expiry.
func TestFormerTokensAreReadAsVerifiedAndRecentAndExpire(t *testing.T) {
	v := verifier(t, testKey(1))
	k := signer(t, testKey(1)).key
	former := func(expires time.Time) string {
		b := binary.BigEndian.AppendUint64(append([]byte(nil), k.id[:]...), uint64(expires.Unix()))
		b = append(b, make([]byte, 16)...)
		b = append(append(b, byte(len(Customer))), Customer+"a@b.example"...)
		return base64.RawURLEncoding.EncodeToString(k.mac(b, service, b))
	}
	want := Identity{Role: Customer, Email: "a@b.example", Verified: true, Recent: true}
	if got, err := v.Verify(former(time.Now().Add(Lifetime))); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := v.Verify(former(time.Now().Add(-time.Minute))); err == nil {
		t.Error("an expired token was accepted")
	}
}

func TestFormerVerifiersReadEverythingButTheExpiry(t *testing.T) {
	raw, err := base64.RawURLEncoding.DecodeString(signer(t, testKey(1)).Sign(
		Identity{UserID: uuid.Max, Role: Customer, Email: "a@b.example", Verified: true, Recent: true}))
	if err != nil {
		t.Fatal(err)
	}
	if expires := time.Unix(int64(binary.BigEndian.Uint64(raw[4:12])), 0); time.Now().After(expires) {
		t.Errorf("a former verifier refuses the token as expired at %v", expires)
	}
	want := append(append(append([]byte(nil), uuid.Max[:]...), byte(len(Customer))), Customer+"a@b.example"...)
	if got := raw[12 : len(raw)-32]; !bytes.Equal(got, want) {
		t.Errorf("a former verifier reads %q, want %q", got, want)
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
