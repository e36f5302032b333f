package check

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/frontrow-tickets/frontrow/test/client"
)

// forward checks what each client saw of the queue: nothing goes back, the draw
// takes place once, and its seed is the one whose hash was published.
func (c *checker) forward() Verdict {
	v := Verdict{Title: "The queue moves forward, and the seed is the published one"}
	last := map[int]client.Queue{}
	hash := ""
	for _, f := range c.Recorder.Frames() {
		v.Checked++
		q := f.Queue
		if before, found := last[f.Stream]; found {
			if q.Version < before.Version {
				v.violated("client %d saw version %d after %d", f.Stream, q.Version, before.Version)
			}
			for name := range laneNumbers {
				was, is := Lane(&before, name), Lane(&q, name)
				if is.Serving < was.Serving || is.Last < was.Last {
					v.violated("client %d saw the lane %s go back from %+v to %+v", f.Stream, name, was, is)
				}
				if before.Seed != "" && is.Drawn != was.Drawn {
					v.violated("client %d saw %d drawn in the lane %s, then %d", f.Stream, was.Drawn, name, is.Drawn)
				}
			}
			if before.Seed != "" && q.Seed != before.Seed {
				v.violated("client %d saw the seed change from %s to %q", f.Stream, before.Seed, q.Seed)
			}
		}
		last[f.Stream] = q
		if hash == "" {
			hash = q.SeedHash
		}
		if q.SeedHash != hash && hash != "" {
			v.violated("client %d saw the seed hash %q, published as %s", f.Stream, q.SeedHash, hash)
		}
		if q.Seed != "" && hashOf(q.Seed) != hash {
			v.violated("client %d saw the seed %s, whose hash is not %s", f.Stream, q.Seed, hash)
		}
	}
	return v
}

func hashOf(seed string) string {
	secret, err := hex.DecodeString(seed)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(secret)
	return hex.EncodeToString(sum[:])
}
