package edge

import "sync"

// quota limits how much of a resource each address uses at once.
type quota struct {
	max int64

	mu   sync.Mutex
	used map[string]int64
}

func newQuota(limit int64) *quota { return &quota{max: limit, used: map[string]int64{}} }

// acquire counts n for an address until release is called, once. ok is false if the address would exceed
// the maximum; an address that uses nothing may always acquire one item of any size.
func (q *quota) acquire(address string, n int64) (release func(), ok bool) {
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
