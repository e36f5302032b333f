package edge

import "net/http"

// cors lets pages of the configured origins use the API, and responds to their preflights.
func (s *Server) cors(next handler) handler {
	if len(s.corsOrigins) == 0 {
		return next
	}
	return func(c *call) error {
		h := c.w.Header()
		h.Add("Vary", "Origin")
		origin := c.r.Header.Get("Origin")
		if !s.corsOrigins[origin] {
			return next(c)
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		if c.r.Method != http.MethodOptions || c.r.Header.Get("Access-Control-Request-Method") == "" {
			h.Set("Access-Control-Expose-Headers",
				"ETag, Location, Retry-After, X-Request-Id, Idempotency-Replayed, X-Frontrow-Stale, Age")
			return next(c)
		}
		h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
		h.Set("Access-Control-Allow-Headers",
			"Authorization, Content-Type, Frontrow-Admission, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID")
		h.Set("Access-Control-Max-Age", "600")
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
