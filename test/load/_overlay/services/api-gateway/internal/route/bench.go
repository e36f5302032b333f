package route

import "net/http"

// What the load test compares holds with goes the same way as a hold.
func init() {
	for _, name := range []string{"noop", "rows", "advisory"} {
		Table = append(Table, Route{
			Method: http.MethodPost, Path: "/api/v1/bench/" + name, Service: Booking, Access: Session, Key: ByBody,
			BodyLimit: eventBody, Timeout: booking,
		})
	}
}
