-- +goose Up
-- The first 8 bytes of an event's id name its log in booking-service, and begin
-- the ids of its bookings. uuid_send returns the id's bytes.
CREATE UNIQUE INDEX events_id_prefix ON events (substring(uuid_send(id) FROM 1 FOR 8));

-- +goose Down
DROP INDEX events_id_prefix;
