//go:build bench

package eventlog

// SetRoundLimit bounds the calls of one round; 0: as shipped.
func SetRoundLimit(n int) {
	if n <= 0 {
		n = maxRound
	}
	roundLimit.Store(int32(n))
}
