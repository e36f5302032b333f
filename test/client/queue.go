package client

import (
	"context"
	"net/http"
)

// Queue reads the state of an event's queue.
func (c *Client) Queue(ctx context.Context, eventID string) (Queue, error) {
	return get[Queue](ctx, c, "/events/"+eventID+"/queue", nil)
}

// QueueChallenge reads what the caller must solve to enter a queue.
func (c *Client) QueueChallenge(ctx context.Context, eventID string) (QueueChallenge, error) {
	return get[QueueChallenge](ctx, c, "/events/"+eventID+"/queue/challenge", nil)
}

// Place reads the caller's place in a queue.
func (c *Client) Place(ctx context.Context, eventID string) (Place, error) {
	return get[Place](ctx, c, "/events/"+eventID+"/queue/place", nil)
}

// TakePlace enters a queue, or takes the caller's turn.
func (c *Client) TakePlace(ctx context.Context, eventID string, r PlaceRequest) (Place, error) {
	var place Place
	err := c.call(ctx, Request{Method: http.MethodPut, Path: "/events/" + eventID + "/queue/place", Body: r}, &place)
	return place, err
}

// LeaveQueue gives the caller's place to the next person.
func (c *Client) LeaveQueue(ctx context.Context, eventID string) error {
	return c.call(ctx, Request{Method: http.MethodDelete, Path: "/events/" + eventID + "/queue/place"}, nil)
}

// QueueReport reads the organiser's report of a queue.
func (c *Client) QueueReport(ctx context.Context, eventID string) (QueueReport, error) {
	return get[QueueReport](ctx, c, "/events/"+eventID+"/queue/report", nil)
}

// ControlQueue pauses, slows down or stops a queue.
func (c *Client) ControlQueue(ctx context.Context, eventID string, control QueueControl) (QueueReport, error) {
	var report QueueReport
	err := c.call(ctx, Request{Method: http.MethodPut, Path: "/events/" + eventID + "/queue/control", Body: control}, &report)
	return report, err
}

// CreateInviteCodes creates codes that enter the lane priority.
func (c *Client) CreateInviteCodes(ctx context.Context, eventID string, codes NewInviteCodes) (InviteCodes, error) {
	return post[InviteCodes](ctx, c, "/events/"+eventID+"/queue/invite-codes", codes, "")
}
