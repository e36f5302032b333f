package booking

import (
	"crypto/sha256"
	"encoding/base32"

	"github.com/google/uuid"
)

// orderAlphabet has no I, O, 0 or 1: people read order numbers out loud and copy
// them by hand.
var orderAlphabet = base32.NewEncoding("23456789ABCDEFGHJKLMNPQRSTUVWXYZ")

// OrderNumber returns the number that people use for a booking, such as
// K7QM-29XD: 40 bits of a hash of the booking's id. Among 20,000 bookings of one
// event, two share a number once in 5,000 events; a search then finds both.
func OrderNumber(booking uuid.UUID) string {
	sum := sha256.Sum256(booking[:])
	n := orderAlphabet.EncodeToString(sum[:5])
	return n[:4] + "-" + n[4:]
}
