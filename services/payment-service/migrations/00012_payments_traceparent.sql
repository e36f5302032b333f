-- +goose Up
-- The trace of the request that began the payment (W3C Trace Context): what comes of it later belongs to it.
ALTER TABLE payments ADD COLUMN traceparent text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE payments DROP COLUMN traceparent;
