package ticket

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/pkg/testkit"
)

func newSigner(t *testing.T) *Signer {
	t.Helper()
	s, err := NewSigner(testkit.Seed(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func public(s *Signer) string {
	return base64.StdEncoding.EncodeToString(s.key.Public().(ed25519.PublicKey))
}

func codeOf(t *testing.T, s *Signer) (Claims, string) {
	t.Helper()
	c := Claims{Ticket: uuid.New(), Booking: uuid.New(), Event: uuid.New(), Seat: "12-45"}
	code, err := s.Code(c)
	if err != nil {
		t.Fatal(err)
	}
	return c, code
}

func TestVerifyAcceptsEveryKnownKey(t *testing.T) {
	now, before, stranger := newSigner(t), newSigner(t), newSigner(t)
	keys, err := NewKeys(now, " "+public(before)+", "+public(now)+"\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Signer{now, before} {
		want, code := codeOf(t, s)
		if got, err := keys.Verify(code); err != nil || got != want {
			t.Errorf("%+v %v, want %+v", got, err, want)
		}
	}
	_, forged := codeOf(t, stranger)
	if _, err := keys.Verify(forged); err == nil {
		t.Error("a stranger's code is taken for ours")
	}
	published := keys.Public()
	if len(published) != 2 || published[0].Kid != now.kid || published[1].Kid != before.kid {
		t.Fatalf("published %+v, want the signing key first, each once", published)
	}
	if x, err := base64.RawURLEncoding.DecodeString(published[0].X); err != nil || string(x) != string(now.key.Public().(ed25519.PublicKey)) {
		t.Errorf("x %q: %v", published[0].X, err)
	}
}

func TestCodeWithAnyByteChangedIsForged(t *testing.T) {
	s := newSigner(t)
	keys, err := NewKeys(s, "")
	if err != nil {
		t.Fatal(err)
	}
	_, code := codeOf(t, s)
	for i := range code {
		for _, c := range []byte("AQgw_-.1\n") {
			changed := []byte(code)
			changed[i] = c
			if _, err := keys.Verify(string(changed)); err == nil && string(changed) != code {
				t.Fatalf("byte %d changed to %q: taken for ours: %s", i, c, changed)
			}
		}
	}
	for name, other := range map[string]string{
		"a byte more": code + "A", "a line break": code + "\n", "padding": code + "==", "cut off": code[:len(code)-1],
		"nothing": "", "dots": "...", "another version": strings.Replace(code, "FR1", "FR2", 1),
	} {
		if _, err := keys.Verify(other); err == nil {
			t.Errorf("%s: taken for ours", name)
		}
	}
}

func TestBadPublicKeyIsNamed(t *testing.T) {
	s := newSigner(t)
	for name, keys := range map[string]string{
		"no base64": public(newSigner(t)) + ",x", "31 bytes": public(s) + "," + base64.StdEncoding.EncodeToString(make([]byte, 31)),
		"a comma too many": public(s) + ",",
	} {
		if _, err := NewKeys(s, keys); err == nil || !strings.Contains(err.Error(), "TICKET_PUBLIC_KEYS: number 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
