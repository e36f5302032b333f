-- +goose Up
-- A copy of what may be paid. A row without a currency was made by a
-- cancellation that overtook its booking.
CREATE TABLE bookings (
    booking_id    uuid        PRIMARY KEY,
    event_id      uuid        NOT NULL,
    home_block    int         NOT NULL,
    user_id       uuid        NOT NULL,
    amount        bigint      NOT NULL CHECK (amount >= 0),
    currency      text        NOT NULL,
    expires_at    timestamptz NOT NULL,
    state         text        NOT NULL CHECK (state IN ('open', 'cancelled')),
    cancel_reason text        NOT NULL DEFAULT '',
    received_at   timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'cancelled') = (cancel_reason <> ''))
);

CREATE TABLE payments (
    id              uuid        PRIMARY KEY,
    booking_id      uuid        NOT NULL REFERENCES bookings,
    user_id         uuid        NOT NULL,
    attempt         int         NOT NULL,
    method          text        NOT NULL,
    amount          bigint      NOT NULL CHECK (amount >= 0),
    currency        text        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('processing', 'succeeded', 'failed', 'refunding', 'refunded')),
    failure_code    text        NOT NULL DEFAULT '',
    charge_id       text        NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL,
    captured_at     timestamptz,
    failed_at       timestamptz,
    refunded_at     timestamptz,
    -- While it is processing: when a worker may pick it, and how often one has.
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    tries           int         NOT NULL DEFAULT 0,
    UNIQUE (booking_id, attempt)
);
-- A booking is paid once.
CREATE UNIQUE INDEX payments_one_live ON payments (booking_id) WHERE status IN ('processing', 'succeeded');
CREATE INDEX payments_due ON payments (next_attempt_at) WHERE status = 'processing';

-- A row is owed from the moment it exists; done_at says when it was paid back.
CREATE TABLE refunds (
    id              uuid        PRIMARY KEY,
    payment_id      uuid        NOT NULL UNIQUE REFERENCES payments,
    booking_id      uuid        NOT NULL,
    charge_id       text        NOT NULL,
    amount          bigint      NOT NULL CHECK (amount >= 0),
    currency        text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    done_at         timestamptz,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    tries           int         NOT NULL DEFAULT 0
);
CREATE INDEX refunds_due ON refunds (next_attempt_at) WHERE done_at IS NULL;

-- +goose Down
DROP TABLE refunds;
DROP TABLE payments;
DROP TABLE bookings;
