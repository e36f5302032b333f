package door

import "sync"

// quota bounds what each address has of something at once.
type quota struct {
	max int64

	mu   sync.Mutex
	used map[string]int64
}

func newQuota(limit int64) *quota { return &quota{max: limit, used: map[string]int64{}} }

// take counts n for an address until release is called, once. Ok is false when
// the address has too much; who has nothing may have any one thing.
func (q *quota) take(address string, n int64) (release func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.used[address] > 0 && q.used[address]+n > q.max {
		return nil, false
	}
	q.used[address] += n
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.used[address] -= n; q.used[address] == 0 {
			delete(q.used, address)
		}
	}, true
}
