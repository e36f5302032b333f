-- +goose Up
-- A booking's id says which event it belongs to.
ALTER TABLE bookings DROP COLUMN home_block;

-- +goose Down
ALTER TABLE bookings ADD COLUMN home_block int NOT NULL DEFAULT 0;
