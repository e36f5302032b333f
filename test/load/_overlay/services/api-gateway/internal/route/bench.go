package route

import "net/http"

// The baselines of the load test take the same route as a hold.
func init() {
	for _, name := range []string{"noop", "rows", "advisory"} {
		Table = append(Table, Route{
			Method: http.MethodPost, Path: "/api/v1/bench/" + name, Service: Booking, Access: Session, Key: ByBody,
			BodyLimit: eventBody, Timeout: booking,
		})
	}
}
