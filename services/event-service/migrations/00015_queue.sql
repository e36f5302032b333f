-- +goose Up
-- The default is for events from before there were queues.
ALTER TABLE events ADD COLUMN queue jsonb NOT NULL
    DEFAULT '{"mode": "off", "opens_before_seconds": 1800, "admission_seconds": 600}';

-- +goose Down
ALTER TABLE events DROP COLUMN queue;
