-- +goose Up
CREATE TABLE events (
    id                  uuid        PRIMARY KEY,
    organizer_id        uuid        NOT NULL,
    venue_id            uuid        NOT NULL REFERENCES venues,
    name                text        NOT NULL,
    description         text        NOT NULL,
    starts_at           timestamptz NOT NULL,
    ends_at             timestamptz NOT NULL CHECK (ends_at > starts_at),
    time_zone           text        NOT NULL,
    currency            text        NOT NULL,
    ticket_types        jsonb       NOT NULL,
    sale_starts_at      timestamptz NOT NULL,
    sale_ends_at        timestamptz NOT NULL CHECK (sale_ends_at > sale_starts_at),
    max_seats_per_buyer int         NOT NULL,
    hold_seconds        int         NOT NULL,
    status              text        NOT NULL CHECK (status IN ('draft', 'published', 'sold_out', 'cancelled')),
    cancel_reason       text        NOT NULL DEFAULT '',
    version             bigint      NOT NULL,
    -- When booking-service made the newest count of seats that was applied.
    availability_at     timestamptz,
    -- Words of name, description, venue and city, folded by the service.
    search              tsvector    NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX events_listed ON events (starts_at, id) WHERE status <> 'draft';
CREATE INDEX events_of_organizer ON events (organizer_id, starts_at, id);
CREATE INDEX events_search ON events USING gin (search);
CREATE INDEX events_venue ON events (venue_id);

-- +goose Down
DROP TABLE events;
