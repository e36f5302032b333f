package booking

// Waiting returns how many changes of a block wait for its next round.
func (s *Service) Waiting(id BlockID) int {
	s.committer.mu.Lock()
	defer s.committer.mu.Unlock()
	if q := s.committer.queues[id]; q != nil {
		return len(q.waiting)
	}
	return 0
}
