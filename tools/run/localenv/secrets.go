package main

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const adminEmail = "admin@frontrow.example"

// secrets of an instance are created once and kept beside its data, because stored data was signed and hashed
// with them.
type secrets struct {
	IdentitySeed     []byte `json:"identity_seed"`
	TicketSeed       []byte `json:"ticket_seed"`
	WebhookSecret    string `json:"webhook_secret"`
	AdminPassword    string `json:"admin_password"`
	PostgresPassword string `json:"postgres_password"`
}

// Names of the keys that services share with each other.
const (
	paymentToBooking      = "payment-to-booking"
	notificationToAuth    = "notification-to-auth"
	notificationToBooking = "notification-to-booking"
)

// identityKey is the key that the gateway shares with a service, or that two services share.
func (s secrets) identityKey(name string) string {
	mac := hmac.New(sha256.New, s.IdentitySeed)
	_, _ = io.WriteString(mac, name)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// providerKey authenticates payment-service to the payment provider. It is derived, because instances of
// older versions have no stored key.
func (s secrets) providerKey() string { return s.identityKey("psp-api-key") }

// authKey encrypts second factors and authenticates device cookies. It is derived as well.
func (s secrets) authKey() string { return s.identityKey("auth-key") }

func (s secrets) ticketKey() string { return base64.StdEncoding.EncodeToString(s.TicketSeed) }

// loadSecrets reads the secrets in dir, or creates them.
func loadSecrets(dir string) (secrets, error) {
	path := filepath.Join(dir, "secrets.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecrets(path)
	}
	if err != nil {
		return secrets{}, err
	}
	var s secrets
	if err := json.Unmarshal(text, &s); err != nil || len(s.IdentitySeed) != ed25519.SeedSize || len(s.TicketSeed) != ed25519.SeedSize {
		return secrets{}, fmt.Errorf("the secrets in %s can't be read: `make clean` starts afresh, without the data", path)
	}
	return s, nil
}

func makeSecrets(path string) (secrets, error) {
	s := secrets{
		IdentitySeed:     make([]byte, ed25519.SeedSize),
		TicketSeed:       make([]byte, ed25519.SeedSize),
		WebhookSecret:    rand.Text(),
		AdminPassword:    rand.Text(),
		PostgresPassword: rand.Text(),
	}
	_, _ = rand.Read(s.IdentitySeed)
	_, _ = rand.Read(s.TicketSeed)
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return secrets{}, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return secrets{}, err
	}
	return s, writeAtomically(path, text)
}

// writeAtomically replaces a file, readable only by its owner.
func writeAtomically(path string, content []byte) error {
	partial := path + ".partial"
	if err := os.WriteFile(partial, content, 0o600); err != nil {
		return err
	}
	return os.Rename(partial, path)
}
