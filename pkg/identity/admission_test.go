package identity

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/uuid"
)

func admissions(t *testing.T, signing, accepted string) (*Signer, *Verifier) {
	t.Helper()
	s, err := NewSigner(AdmissionAudience, signing)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(AdmissionAudience, accepted)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func newAdmission(until time.Time) Admission {
	return Admission{Event: uuid.New(), User: uuid.New(), Until: until.Truncate(time.Second)}
}

func TestAdmissionTokenCarriesAdmission(t *testing.T) {
	for _, signing := range []string{testKey(1), testKey(2) + "," + testKey(3)} {
		s, v := admissions(t, signing, testKey(1)+","+testKey(2))
		want := newAdmission(time.Now().Add(time.Hour))
		got, err := v.Admission(s.Admit(want))
		if err != nil || got.Event != want.Event || got.User != want.User || !got.Until.Equal(want.Until) {
			t.Errorf("got %+v %v, want %+v", got, err, want)
		}
	}
}

func TestAdmissionEndsWithoutLeeway(t *testing.T) {
	s, v := admissions(t, testKey(1), testKey(1))
	until := time.Unix(2_000_000_000, 0)
	token := s.Admit(newAdmission(until))
	for at, want := range map[time.Time]bool{until.Add(-1): true, until: false, until.Add(time.Hour): false} {
		if _, err := v.At(func() time.Time { return at }).Admission(token); (err == nil) != want {
			t.Errorf("%v before its end: %v", until.Sub(at), err)
		}
	}
}

func TestForgedAdmissionsAreRefused(t *testing.T) {
	s, v := admissions(t, testKey(1), testKey(1))
	a := newAdmission(time.Now().Add(time.Hour))
	good := s.Admit(a)
	ofAnother, _ := admissions(t, testKey(2), testKey(2))
	for name, token := range map[string]string{
		"of another key":       ofAnother.Admit(a),
		"for another audience": signer(t, testKey(1)).Admit(a),
		"of an identity":       signer(t, testKey(1)).Sign(Identity{UserID: a.User, Role: Customer}),
		"that is empty":        "",
		"that is none":         "admitted",
		"cut off":              good[:len(good)-2],
		"with more":            good + "AAAA",
	} {
		if got, err := v.Admission(token); err == nil {
			t.Errorf("an admission %s was accepted: %+v", name, got)
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		if got, err := v.Admission(base64.RawURLEncoding.EncodeToString(raw)); err == nil {
			t.Errorf("an admission with byte %d changed was accepted: %+v", i, got)
		}
		raw[i] ^= 1
	}
}

func TestIdentityVerifierRefusesAdmissions(t *testing.T) {
	s, _ := admissions(t, testKey(1), testKey(1))
	if id, err := verifier(t, testKey(1)).Verify(s.Admit(newAdmission(time.Now().Add(time.Hour)))); err == nil {
		t.Errorf("an admission was accepted as the identity %+v", id)
	}
}
