// Package httpapi implements payment-service's HTTP API.
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/events"
	"github.com/frontrow-tickets/frontrow/api/rest"
	"github.com/frontrow-tickets/frontrow/pkg/clock"
	"github.com/frontrow-tickets/frontrow/pkg/httpapi"
	"github.com/frontrow-tickets/frontrow/pkg/identity"
	"github.com/frontrow-tickets/frontrow/pkg/postgres"
	"github.com/frontrow-tickets/frontrow/pkg/problem"
	"github.com/frontrow-tickets/frontrow/services/payment-service/internal/payment"
	payments "github.com/frontrow-tickets/frontrow/services/payment-service/internal/postgres"
)

// askTimeout limits fetching a booking whose message is late.
const askTimeout = 2 * time.Second

// API handles the requests of payment-service.
type API struct {
	Store *payments.Store
	// Charge is called with each new payment.
	Charge func(payment.Job)
	// Held fetches a user's held booking from booking-service. Errors:
	// payment.ErrNotFound, *payment.NotPayableError for a booking that has
	// ended.
	Held func(ctx context.Context, user, id uuid.UUID) (events.BookingCreated, error)
	// WebhookSecret is the key of the provider's webhook signatures.
	WebhookSecret string
	Clock         clock.Clock
}

// New returns the routes.
func New(a API, verifier *identity.Verifier) http.Handler {
	r := httpapi.New(verifier)
	r.Handle(http.MethodPost, "/api/v1/payments", httpapi.WithVerified(a.create))
	r.Handle(http.MethodGet, "/api/v1/payments/{id}", httpapi.WithSession(a.get))
	r.HandleWithoutIdentity(http.MethodPost, webhookPath, a.webhook)
	return r
}

func view(p *payment.Payment) rest.Payment {
	return rest.Payment{
		ID: p.ID, BookingID: p.BookingID, Status: rest.PaymentStatus(p.Status), Amount: rest.Money(p.Amount),
		PaymentMethod: rest.PaymentMethod(p.Method), CreatedAt: p.CreatedAt, FailureCode: rest.FailureCode(p.FailureCode),
		RefundedAt: p.RefundedAt,
	}
}

// accepted shows a payment as it started, whatever its current state.
func accepted(p *payment.Payment) rest.Payment {
	v := view(p)
	v.Status, v.FailureCode, v.RefundedAt = rest.PaymentStatusProcessing, "", time.Time{}
	return v
}

func (a API) create(w http.ResponseWriter, r *http.Request) error {
	raw, err := httpapi.ReadBody(w, r, httpapi.DefaultBodyLimit)
	if err != nil {
		return err
	}
	in, err := httpapi.Parse[rest.NewPayment](raw)
	if err != nil {
		return err
	}
	idempotency, err := httpapi.IdempotencyKey(r)
	if err != nil {
		return err
	}
	if !payment.KnownMethod(in.PaymentMethod) {
		return problem.New(http.StatusUnprocessableEntity, problem.CodeUnknownPaymentMethod, "This payment method does not exist. See payment_methods.").
			With("payment_methods", payment.Methods)
	}
	request := payments.Request{User: identity.FromContext(r.Context()).UserID, Key: idempotency, Hash: httpapi.RequestHash(r, raw)}
	begun, replayed, err := a.pay(r.Context(), request, in.BookingID, in.PaymentMethod)
	if err != nil {
		return a.problem(err)
	}
	if replayed {
		w.Header().Set(httpapi.ReplayedHeader, "true")
	}
	w.Header().Set("Location", "/api/v1/payments/"+begun.ID.String())
	return httpapi.WriteJSON(w, http.StatusAccepted, accepted(begun))
}

// pay starts a payment. If the message about the booking is late, pay fetches
// the booking from booking-service: a crashed replica's messages wait until
// Kafka has removed the replica from the group. The late message then has no
// effect.
func (a API) pay(ctx context.Context, request payments.Request, bookingID uuid.UUID, method string) (*payment.Payment, bool, error) {
	begun, replayed, err := a.begin(ctx, request, bookingID, nil, method)
	if !errors.Is(err, payment.ErrNotFound) {
		return begun, replayed, err
	}
	askCtx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	b, err := a.Held(askCtx, request.User, bookingID)
	var ended *payment.NotPayableError
	switch {
	case errors.Is(err, payment.ErrNotFound) || errors.As(err, &ended):
		return nil, false, err
	case err != nil:
		return nil, false, problem.Unavailable(fmt.Errorf("fetch booking: %w", err))
	}
	return a.begin(ctx, request, bookingID, &b, method)
}

// begin stores a payment and has it charged. Errors: payment.ErrNotFound for an
// unknown booking, and those of Purchase.Start.
func (a API) begin(ctx context.Context, request payments.Request, bookingID uuid.UUID, created *events.BookingCreated, method string) (*payment.Payment, bool, error) {
	begun, replayed, err := a.Store.Pay(ctx, request, bookingID, created, func(p *payment.Purchase) (*payment.Payment, error) {
		return p.Start(uuid.Must(uuid.NewV7()), request.User, method, a.Clock.Now().UTC().Truncate(time.Microsecond))
	})
	if err == nil && !replayed {
		a.Charge(payment.Job{Payment: *begun, Tries: 1})
	}
	return begun, replayed, err
}

// problem maps an error of the domain or the store to a problem.
func (a API) problem(err error) error {
	var notPayable *payment.NotPayableError
	switch {
	case errors.Is(err, payment.ErrNotYours), errors.Is(err, payment.ErrNotFound):
		return problem.NotFound("The booking")
	case errors.As(err, &notPayable):
		return problem.New(http.StatusConflict, problem.CodeBookingNotPayable, "This booking can no longer be paid. See booking_status.").With("booking_status", notPayable.Status)
	case errors.Is(err, payment.ErrInProgress):
		return problem.New(http.StatusConflict, problem.CodePaymentInProgress, "A payment for this booking is already in progress.")
	case errors.Is(err, payment.ErrPaid):
		return problem.New(http.StatusConflict, problem.CodeAlreadyPaid, "This booking is already paid.")
	case postgres.IsUnavailable(err):
		return problem.Unavailable(err)
	default:
		return err
	}
}

func (a API) get(w http.ResponseWriter, r *http.Request) error {
	id, err := httpapi.PathUUID(r, "id", "The payment")
	if err != nil {
		return err
	}
	p, err := a.Store.Payment(r.Context(), id)
	if errors.Is(err, payment.ErrNotFound) || err == nil && p.UserID != identity.FromContext(r.Context()).UserID {
		return problem.NotFound("The payment")
	}
	if err != nil {
		return a.problem(err)
	}
	return httpapi.WriteJSON(w, http.StatusOK, view(p))
}
