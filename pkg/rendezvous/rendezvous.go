// Package rendezvous assigns work to instances by highest random weight hashing
// (Thaler and Ravishankar 1996), so that all callers agree without
// communicating. When an instance goes, only its own work moves.
package rendezvous

import (
	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
)

// Hash returns the hash of a key or of an instance's id.
func Hash(text string) uint64 { return xxhash.Sum64String(text) }

// Score ranks an instance for a key, both given as hashes. The highest score
// owns the key. The mixing is splitmix64's.
func Score(key, instance uint64) uint64 {
	x := key ^ instance
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// Event returns the key for all work on an event. The id may be the event's or
// that of one of its bookings: they share their first 8 bytes.
func Event(id uuid.UUID) uint64 { return xxhash.Sum64(id[:8]) }
