// Code generated from api/problems.json by pkg/problem/generate. DO NOT EDIT.

package problem

// Codes of problems. docs/problems.md describes them.
const (
	CodeMalformedJSON            = "malformed_json"            // 400
	CodeMalformedRequest         = "malformed_request"         // 400
	CodeUnknownField             = "unknown_field"             // 400
	CodeInvalidIdempotencyKey    = "invalid_idempotency_key"   // 400
	CodeInvalidIfMatch           = "invalid_if_match"          // 400
	CodeIdentityRequired         = "identity_required"         // 401
	CodeIdentityInvalid          = "identity_invalid"          // 401
	CodeSessionRequired          = "session_required"          // 401
	CodeSessionInvalid           = "session_invalid"           // 401
	CodeInvalidCredentials       = "invalid_credentials"       // 401
	CodeSignatureInvalid         = "signature_invalid"         // 401
	CodeSecondFactorRequired     = "second_factor_required"    // 401
	CodeForbidden                = "forbidden"                 // 403
	CodeEmailNotVerified         = "email_not_verified"        // 403
	CodeReauthenticationRequired = "reauthentication_required" // 403
	CodeQueueRequired            = "queue_required"            // 403
	CodeNotFound                 = "not_found"                 // 404
	CodeMethodNotAllowed         = "method_not_allowed"        // 405
	CodeLastAdmin                = "last_admin"                // 409
	CodeEventNotEditable         = "event_not_editable"        // 409
	CodeEventNotPublishable      = "event_not_publishable"     // 409
	CodeEventNotCancellable      = "event_not_cancellable"     // 409
	CodeSeatsTaken               = "seats_taken"               // 409
	CodeNotEnoughSeats           = "not_enough_seats"          // 409
	CodeBuyerLimitReached        = "buyer_limit_reached"       // 409
	CodeEventNotOnSale           = "event_not_on_sale"         // 409
	CodeSaleNotStarted           = "sale_not_started"          // 409
	CodeSaleEnded                = "sale_ended"                // 409
	CodeBookingNotCancellable    = "booking_not_cancellable"   // 409
	CodeBookingNotConfirmed      = "booking_not_confirmed"     // 409
	CodeBookingNotPayable        = "booking_not_payable"       // 409
	CodePaymentInProgress        = "payment_in_progress"       // 409
	CodeAlreadyPaid              = "already_paid"              // 409
	CodeSecondFactorExists       = "second_factor_exists"      // 409
	CodeSecondFactorMissing      = "second_factor_missing"     // 409
	CodeWrongPassword            = "wrong_password"            // 409
	CodeWrongCode                = "wrong_code"                // 409
	CodePasswordTooShort         = "password_too_short"        // 409
	CodeQueueNotOpen             = "queue_not_open"            // 409
	CodeDeviceInQueue            = "device_in_queue"           // 409
	CodeLinkInvalid              = "link_invalid"              // 410
	CodePreconditionFailed       = "precondition_failed"       // 412
	CodeBodyTooLarge             = "body_too_large"            // 413
	CodeUnsupportedMediaType     = "unsupported_media_type"    // 415
	CodeValidationFailed         = "validation_failed"         // 422
	CodeIdempotencyKeyReused     = "idempotency_key_reused"    // 422
	CodeTooManySeats             = "too_many_seats"            // 422
	CodeUnknownSeats             = "unknown_seats"             // 422
	CodeUnknownPaymentMethod     = "unknown_payment_method"    // 422
	CodeAmountMismatch           = "amount_mismatch"           // 422
	CodeScanIDReused             = "scan_id_reused"            // 422
	CodeChallengeFailed          = "challenge_failed"          // 422
	CodeInviteCodeInvalid        = "invite_code_invalid"       // 422
	CodePreconditionRequired     = "precondition_required"     // 428
	CodeRateLimited              = "rate_limited"              // 429
	CodeTooManyAttempts          = "too_many_attempts"         // 429
	CodeTooManyStreams           = "too_many_streams"          // 429
	CodeNetworkLimitReached      = "network_limit_reached"     // 429
	CodeInternal                 = "internal"                  // 500
	CodeUnavailable              = "unavailable"               // 503
	CodeOverloaded               = "overloaded"                // 503
	CodeOutcomeUnknown           = "outcome_unknown"           // 503
	CodeUpstreamTimeout          = "upstream_timeout"          // 504
)

// titles has the title of each code.
var titles = map[string]string{
	CodeMalformedJSON:            "Malformed JSON",
	CodeMalformedRequest:         "Malformed request",
	CodeUnknownField:             "Unknown field",
	CodeInvalidIdempotencyKey:    "Invalid Idempotency-Key",
	CodeInvalidIfMatch:           "Invalid If-Match",
	CodeIdentityRequired:         "Identity token missing",
	CodeIdentityInvalid:          "Identity token not valid",
	CodeSessionRequired:          "Log-in required",
	CodeSessionInvalid:           "Session ended",
	CodeInvalidCredentials:       "Wrong e-mail or password",
	CodeSignatureInvalid:         "Webhook signature not valid",
	CodeSecondFactorRequired:     "Second factor required",
	CodeForbidden:                "Forbidden",
	CodeEmailNotVerified:         "E-mail not verified",
	CodeReauthenticationRequired: "Password needed again",
	CodeQueueRequired:            "Not admitted",
	CodeNotFound:                 "Not found",
	CodeMethodNotAllowed:         "Method not allowed",
	CodeLastAdmin:                "Last admin",
	CodeEventNotEditable:         "Event cannot be changed",
	CodeEventNotPublishable:      "Event cannot be published",
	CodeEventNotCancellable:      "Event cannot be cancelled",
	CodeSeatsTaken:               "Seats taken",
	CodeNotEnoughSeats:           "Not enough seats",
	CodeBuyerLimitReached:        "Buyer's limit reached",
	CodeEventNotOnSale:           "Event not on sale",
	CodeSaleNotStarted:           "Sale not started",
	CodeSaleEnded:                "Sale ended",
	CodeBookingNotCancellable:    "Booking cannot be cancelled",
	CodeBookingNotConfirmed:      "Booking not confirmed",
	CodeBookingNotPayable:        "Booking cannot be paid",
	CodePaymentInProgress:        "Payment in progress",
	CodeAlreadyPaid:              "Already paid",
	CodeSecondFactorExists:       "Second factor exists",
	CodeSecondFactorMissing:      "No second factor",
	CodeWrongPassword:            "Wrong password",
	CodeWrongCode:                "Wrong code",
	CodePasswordTooShort:         "Password too short for the role",
	CodeQueueNotOpen:             "Queue not open",
	CodeDeviceInQueue:            "Browser already in the queue",
	CodeLinkInvalid:              "Link no longer valid",
	CodePreconditionFailed:       "Changed in the meantime",
	CodeBodyTooLarge:             "Body too large",
	CodeUnsupportedMediaType:     "Unsupported media type",
	CodeValidationFailed:         "Invalid fields",
	CodeIdempotencyKeyReused:     "Idempotency-Key reused",
	CodeTooManySeats:             "Too many seats",
	CodeUnknownSeats:             "Unknown seats",
	CodeUnknownPaymentMethod:     "Unknown payment method",
	CodeAmountMismatch:           "Amounts differ",
	CodeScanIDReused:             "Scan id reused",
	CodeChallengeFailed:          "Challenge not solved",
	CodeInviteCodeInvalid:        "Invalid invite code",
	CodePreconditionRequired:     "If-Match required",
	CodeRateLimited:              "Too many requests",
	CodeTooManyAttempts:          "Too many attempts",
	CodeTooManyStreams:           "Too many streams",
	CodeNetworkLimitReached:      "Too many people of one network",
	CodeInternal:                 "Internal error",
	CodeUnavailable:              "Temporarily unavailable",
	CodeOverloaded:               "Overloaded",
	CodeOutcomeUnknown:           "Outcome unknown",
	CodeUpstreamTimeout:          "Timed out",
}
