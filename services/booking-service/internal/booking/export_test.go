package booking

import "context"

// Waiting returns how many changes of a block wait for its next round.
func (s *Service) Waiting(id BlockID) int {
	s.committer.mu.Lock()
	defer s.committer.mu.Unlock()
	if q := s.committer.queues[id]; q != nil {
		return len(q.waiting)
	}
	return 0
}

// CorrectNow corrects what is behind, without waiting to see whether a delta is
// on its way.
func (s *Service) CorrectNow(ctx context.Context) error {
	if err := s.Correct(ctx); err != nil {
		return err
	}
	return s.Correct(ctx)
}
