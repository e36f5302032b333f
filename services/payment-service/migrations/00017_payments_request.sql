-- +goose Up
-- The request that began the payment: sent again under its key, it begins no other.
-- The table idempotency_keys of earlier versions is not used any more. Earlier
-- versions had other migrations 11, 15 and 16.
ALTER TABLE payments ADD COLUMN IF NOT EXISTS idempotency_key text NOT NULL DEFAULT '', ADD COLUMN IF NOT EXISTS request_hash bytea;
CREATE UNIQUE INDEX IF NOT EXISTS payments_request ON payments (user_id, idempotency_key) WHERE idempotency_key <> '';

-- +goose Down
ALTER TABLE payments DROP COLUMN idempotency_key, DROP COLUMN request_hash;
