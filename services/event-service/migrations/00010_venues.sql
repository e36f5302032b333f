-- +goose Up
CREATE TABLE venues (
    id         uuid        PRIMARY KEY,
    owner_id   uuid        NOT NULL,
    name       text        NOT NULL,
    city       text        NOT NULL,
    time_zone  text        NOT NULL,
    -- What a category's tickets buy: {"floor": "general_admission", ...}.
    kinds      jsonb       NOT NULL,
    -- The seat plan in the run-length form of EventChanged.
    blocks     jsonb       NOT NULL,
    -- The whole venue as clients get it, gzip of JSON: a venue never changes,
    -- and one of 100,000 seats takes 8 MB to build.
    document   bytea       NOT NULL,
    created_at timestamptz NOT NULL
);
ALTER TABLE venues ALTER COLUMN document SET STORAGE EXTERNAL;

-- +goose Down
DROP TABLE venues;
