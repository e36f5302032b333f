-- +goose Up
CREATE TABLE charges (
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
CREATE INDEX charges_settles_at ON charges (settles_at, id);

CREATE TABLE refunds (
    id         text        PRIMARY KEY,
    key        text        NOT NULL UNIQUE,
    charge_id  text        NOT NULL REFERENCES charges,
    amount     bigint      NOT NULL CHECK (amount >= 0),
    currency   text        NOT NULL,
    created_at timestamptz NOT NULL
);

-- Webhooks not yet delivered.
CREATE TABLE webhooks (
    id       bigserial   PRIMARY KEY,
    event_id text        NOT NULL,
    body     bytea       NOT NULL,
    due_at   timestamptz NOT NULL,
    tries    int         NOT NULL DEFAULT 0
);
CREATE INDEX webhooks_due_at ON webhooks (due_at);

-- +goose Down
DROP TABLE webhooks, refunds, charges;
