package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"
)

func TestVerifyUsesTheParametersStoredWithTheHash(t *testing.T) {
	h := NewHasher()
	salt := []byte("0123456789abcdef")
	old := fmt.Sprintf("$argon2id$v=19$m=64,t=1,p=2$%s$%s", base64.RawStdEncoding.EncodeToString(salt),
		base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte("secret"), salt, 1, 64, 2, 24)))
	for password, want := range map[string]bool{"secret": true, "Secret": false} {
		if ok, err := h.matches(old, password); err != nil || ok != want {
			t.Errorf("matches(%q) = %v, %v", password, ok, err)
		}
	}
	phc, err := h.Hash(t.Context(), "secret")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("Hash = %q, %v", phc, err)
	}
	if ok, err := h.matches(phc, "secret"); err != nil || !ok {
		t.Errorf("own hash: %v, %v", ok, err)
	}
	for _, bad := range []string{"", "secret", "$argon2i$v=19$m=64,t=1,p=2$AA$AA", "$argon2id$v=19$m=64,t=0,p=2$AA$AA", "$argon2id$v=19$m=64,t=1,p=2$AA$"} {
		if _, err := h.matches(bad, "secret"); err == nil {
			t.Errorf("%q was taken for a hash", bad)
		}
	}
}

func TestNoMoreHashesRunAtOnceThanThereAreSlots(t *testing.T) {
	h, w := NewHasher(), &work{}
	h.derive = w.derive
	var wg sync.WaitGroup
	for range 4 * cap(h.slots) {
		wg.Go(func() { _, _ = h.Hash(context.Background(), "secret") })
	}
	wg.Wait()
	if w.top > cap(h.slots) {
		t.Errorf("%d hashes at once, want at most %d", w.top, cap(h.slots))
	}
}

func TestWaitingForAHashEndsWithTheRequest(t *testing.T) {
	h := NewHasher()
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "secret"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash = %v", err)
	}
}

func TestFloodOfRegistrationsLeavesSlotsToLogins(t *testing.T) {
	for _, slots := range []int{2, 4} {
		h := newHasher(slots)
		stored, err := h.Hash(t.Context(), "known")
		if err != nil {
			t.Fatal(err)
		}
		hashing, finish := make(chan struct{}), make(chan struct{})
		h.derive = func(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
			if string(password) == "new" {
				hashing <- struct{}{}
				<-finish
			}
			return argon2.IDKey(password, salt, time, memory, threads, keyLen)
		}
		var group sync.WaitGroup
		for range 10 * slots {
			group.Go(func() { _, _ = h.Hash(t.Context(), "new") })
		}
		for range slots / 2 {
			<-hashing
		}
		for range slots { // one after the other, while the registrations wait
			err := h.inSlot(t.Context(), func() error {
				_, err := h.matches(stored, "known")
				return err
			})
			if err != nil {
				t.Errorf("%d slots: log-in during a flood of registrations: %v", slots, err)
			}
		}
		close(finish)
		go func() {
			for range hashing { // let the others finish
			}
		}()
		group.Wait()
		close(hashing)
	}
}
