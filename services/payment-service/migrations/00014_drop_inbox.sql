-- +goose Up
-- What a webhook says is idempotent by itself.
DROP TABLE IF EXISTS inbox;

-- +goose Down
SELECT 1;
