package main

import "strconv"

// wire builds requests in wire format.
type wire struct {
	host     string
	sessions []string
}

// post appends a POST of body by a buyer.
func (w *wire) post(buf []byte, path string, buyer int, body []byte) []byte {
	buf = append(buf, "POST "...)
	buf = append(buf, path...)
	buf = append(buf, " HTTP/1.1\r\nHost: "...)
	buf = append(buf, w.host...)
	buf = append(buf, "\r\nAuthorization: Bearer "...)
	buf = append(buf, w.sessions[buyer%len(w.sessions)]...)
	buf = append(buf, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	buf = strconv.AppendInt(buf, int64(len(body)), 10)
	buf = append(buf, "\r\n\r\n"...)
	return append(buf, body...)
}

// get appends a GET by a visitor without a session; etag may be empty.
func (w *wire) get(buf []byte, path, etag string) []byte {
	buf = append(buf, "GET "...)
	buf = append(buf, path...)
	buf = append(buf, " HTTP/1.1\r\nHost: "...)
	buf = append(buf, w.host...)
	if etag != "" {
		buf = append(buf, "\r\nIf-None-Match: "...)
		buf = append(buf, etag...)
	}
	return append(buf, "\r\n\r\n"...)
}

// hold appends a hold request.
func (w *wire) hold(buf []byte, path string, r *holdRequest) []byte {
	var scratch [160]byte
	body := append(scratch[:0], `{"event_id":"`...)
	body = append(body, r.event...)
	body = append(body, `","seat_ids":["`...)
	body = appendSeat(body, r.block, r.index)
	body = append(body, `","`...)
	body = appendSeat(body, r.block, r.index+1)
	body = append(body, `"]}`...)
	return w.post(buf, path, r.buyer, body)
}

func appendSeat(buf []byte, block, index int) []byte {
	buf = strconv.AppendInt(buf, int64(block), 10)
	buf = append(buf, '-')
	return strconv.AppendInt(buf, int64(index), 10)
}
