-- +goose Up
-- A mail. The reason is unique: a message that arrives twice makes one mail.
CREATE TABLE mails (
    reason     text PRIMARY KEY,
    kind       text NOT NULL,
    -- What the mail says and what cannot be fetched when it is sent. A sent or
    -- dropped mail keeps nothing of it, a dead one no token.
    content    jsonb NOT NULL,
    -- The trace context of the message that asked for the mail.
    trace      jsonb,
    state      text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'dead', 'dropped')),
    tries      integer NOT NULL DEFAULT 0,
    -- When a due mail is tried next. A replica that takes a mail moves this on:
    -- that is its lease.
    due_at     timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz,
    last_error text NOT NULL DEFAULT ''
);
CREATE INDEX mails_due ON mails (due_at) WHERE state = 'due';
CREATE INDEX mails_done ON mails (done_at) WHERE state <> 'due';

-- Who has a booking of which event. Confirmation and cancellation may arrive in
-- either order.
CREATE TABLE bookings (
    booking_id    uuid PRIMARY KEY,
    event_id      uuid NOT NULL,
    user_id       uuid NOT NULL,
    confirmed     boolean NOT NULL DEFAULT false,
    cancel_reason text NOT NULL DEFAULT '', -- empty unless it is cancelled
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX bookings_event ON bookings (event_id) WHERE confirmed AND cancel_reason = '';
CREATE INDEX bookings_updated ON bookings (updated_at);

-- The newest known facts of each event.
CREATE TABLE events (
    event_id   uuid PRIMARY KEY,
    version    bigint NOT NULL,
    name       text NOT NULL,
    venue_name text NOT NULL,
    time_zone  text NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL
);

-- +goose Down
DROP TABLE events;
DROP TABLE bookings;
DROP TABLE mails;
