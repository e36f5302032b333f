package main

import (
	"crypto/sha256"
	"fmt"

	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/challenge"
	"github.com/frontrow-tickets/frontrow/services/booking-service/internal/ticket"
)

// keys verify and sign identities and tickets.
type keys struct {
	// verifier accepts the gateway, payment-service and notification-service.
	verifier *identity.Verifier
	// replicas signs requests to other replicas.
	replicas *identity.Signer
	signer   *ticket.Signer
	tickets  *ticket.Keys
	// admissions signs admissions for the gateway.
	admissions *identity.Signer
	// queue is the secret of challenges and invite codes.
	queue     []byte
	challenge challenge.Verifier
}

func (c config) keys() (k keys, err error) {
	if k.verifier, err = identity.NewVerifier(name, c.IdentityKeys); err != nil {
		return k, err
	}
	if err := k.verifier.AcceptService(c.PaymentKeys); err != nil {
		return k, fmt.Errorf("IDENTITY_KEYS_PAYMENT: %w", err)
	}
	if err := k.verifier.AcceptService(c.NotificationKeys); err != nil {
		return k, fmt.Errorf("IDENTITY_KEYS_NOTIFICATION: %w", err)
	}
	if k.replicas, err = identity.NewSigner(name, c.IdentityKeys); err != nil {
		return k, err
	}
	if k.signer, err = ticket.NewSigner(c.TicketSigningKey); err != nil {
		return k, err
	}
	if k.tickets, err = ticket.NewKeys(k.signer, c.TicketPublicKeys); err != nil {
		return k, err
	}
	if k.admissions, err = identity.NewSigner(identity.AdmissionAudience, c.IdentityKeys); err != nil {
		return k, err
	}
	sum := sha256.Sum256([]byte("frontrow queue " + c.TicketSigningKey))
	k.queue = sum[:]
	k.challenge, err = challenge.New(c.Challenge, k.queue)
	return k, err
}
