-- +goose Up
-- The simulated provider's own books. Nothing outside internal/psp/simulator
-- reads or writes them.
CREATE SCHEMA psp;

CREATE TABLE psp.charges (
    id           text        PRIMARY KEY,
    key          text        NOT NULL UNIQUE,
    method       text        NOT NULL,
    amount       bigint      NOT NULL CHECK (amount >= 0),
    currency     text        NOT NULL,
    outcome      text        NOT NULL CHECK (outcome IN ('captured', 'failed')),
    failure_code text        NOT NULL DEFAULT '',
    -- Until then the charge is pending.
    settles_at   timestamptz NOT NULL,
    refunded     bigint      NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= amount)
);
CREATE INDEX charges_settles_at ON psp.charges (settles_at, id);

CREATE TABLE psp.refunds (
    id         text        PRIMARY KEY,
    key        text        NOT NULL UNIQUE,
    charge_id  text        NOT NULL REFERENCES psp.charges,
    amount     bigint      NOT NULL CHECK (amount >= 0),
    currency   text        NOT NULL,
    created_at timestamptz NOT NULL
);

-- Webhooks not yet delivered.
CREATE TABLE psp.webhooks (
    id       bigserial   PRIMARY KEY,
    event_id text        NOT NULL,
    body     bytea       NOT NULL,
    due_at   timestamptz NOT NULL,
    tries    int         NOT NULL DEFAULT 0
);
CREATE INDEX webhooks_due_at ON psp.webhooks (due_at);

-- +goose Down
DROP SCHEMA psp CASCADE;
