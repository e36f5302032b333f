//go:build race

package booking_test

// underRace: the race detector is on, and everything several times slower.
const underRace = true
