package challenge

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/frontrow-tickets/frontrow/api/rest"
)

var (
	event, user = uuid.MustParse("0198c0de-0000-7000-8000-000000000001"), uuid.MustParse("0198c0de-0000-7000-8000-000000000002")
	now         = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
)

const key = "a secret of a service, 32 bytes.."

func verifier(t *testing.T, bits, key string) Verifier {
	t.Helper()
	v, err := New(parse(t, map[string]string{"QUEUE_POW_BITS": bits}), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// solve finds a solution whose hash begins with the number of zero bits.
func solve(challenge string, bits int) rest.PlaceRequest {
	for n := 0; ; n++ {
		if solution := strconv.Itoa(n); zeros(sha256.Sum256([]byte(challenge+":"+solution))) >= bits {
			return rest.PlaceRequest{Challenge: challenge, Solution: solution}
		}
	}
}

func TestProofOfWork(t *testing.T) {
	v := verifier(t, "10", key)
	c := v.Challenge(event, user, now)
	if c.Kind != rest.QueueChallengeKindProofOfWork || c.Bits != 10 || len(c.Challenge) > 200 {
		t.Fatalf("challenge %+v", c)
	}
	solved := solve(c.Challenge, 10)
	unsolved := solved
	for n := 0; zeros(sha256.Sum256([]byte(unsolved.Challenge+":"+unsolved.Solution))) >= 10; n++ {
		unsolved.Solution = strconv.Itoa(n)
	}
	for name, test := range map[string]struct {
		by          Verifier
		event, user uuid.UUID
		req         rest.PlaceRequest
		after       time.Duration
		want        bool
	}{
		"solved":                   {v, event, user, solved, 0, true},
		"solved by another server": {verifier(t, "12", key), event, user, solved, 0, true},
		"until it expires":         {v, event, user, solved, lifetime, true},
		"expired":                  {v, event, user, solved, lifetime + time.Second, false},
		"another user's":           {v, event, event, solved, 0, false},
		"another event's":          {v, user, user, solved, 0, false},
		"of another key":           {verifier(t, "10", key+"!"), event, user, solved, 0, false},
		"not solved":               {v, event, user, unsolved, 0, false},
		"without a challenge":      {v, event, user, rest.PlaceRequest{Solution: solved.Solution}, 0, false},
		"empty":                    {v, event, user, rest.PlaceRequest{}, 0, false},
		"made easier":              {v, event, user, solve(changed(t, c.Challenge, 0, 10), 0), 0, false},
		"made longer":              {v, event, user, solve(changed(t, c.Challenge, 8, 1), 10), 0, false},
		"with a forged MAC":        {v, event, user, solve(changed(t, c.Challenge, 40, 1), 10), 0, false},
		"not base64":               {v, event, user, solve("!"+c.Challenge[1:], 10), 0, false},
		"cut short":                {v, event, user, solve(c.Challenge[:54], 10), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.by.Solved(t.Context(), test.event, test.user, test.req, "192.0.2.1", now.Add(test.after))
			if err != nil || got != test.want {
				t.Errorf("solved is %t, error %v; want %t", got, err, test.want)
			}
		})
	}
}

// changed returns a challenge with bits of one byte flipped.
func changed(t *testing.T, challenge string, at int, flip byte) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(challenge)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= flip
	return base64.RawURLEncoding.EncodeToString(b)
}

func TestZeroBitsNeedNoSolution(t *testing.T) {
	v := verifier(t, "0", key)
	if c := v.Challenge(event, user, now); c != (rest.QueueChallenge{Kind: rest.QueueChallengeKindNone}) {
		t.Errorf("challenge %+v", c)
	}
	if solved, err := v.Solved(t.Context(), event, user, rest.PlaceRequest{}, "", now); err != nil || !solved {
		t.Errorf("solved is %t, error %v", solved, err)
	}
}
