package psp

import (
	"testing"
	"time"
)

func TestVerifyRefusesWhatTheSecretDidNotSignNow(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	body := []byte(`{"id":"evt_1"}`)
	good := Sign("secret", body, now)
	for name, tc := range map[string]struct {
		signature string
		body      []byte
		now       time.Time
		ok        bool
	}{
		"good":                     {good, body, now, true},
		"five minutes old":         {good, body, now.Add(5 * time.Minute), true},
		"five minutes ahead":       {good, body, now.Add(-5 * time.Minute), true},
		"older than five minutes":  {good, body, now.Add(5*time.Minute + time.Second), false},
		"further than five ahead":  {good, body, now.Add(-5*time.Minute - time.Second), false},
		"another body":             {good, []byte(`{"id":"evt_2"}`), now, false},
		"another secret":           {Sign("guess", body, now), body, now, false},
		"another time":             {"t=1700000001" + good[len("t=1700000000"):], body, now, false},
		"none":                     {"", body, now, false},
		"no sum":                   {"t=1700000000", body, now, false},
		"a sum that is not hex":    {"t=1700000000,v1=xyz", body, now, false},
		"a time that is no number": {"t=now,v1=00", body, now, false},
	} {
		if err := Verify("secret", tc.signature, tc.body, tc.now); (err == nil) != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
