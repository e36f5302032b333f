-- +goose Up
-- Lists show cancelled events last.
CREATE INDEX events_by_position ON events ((status = 'cancelled'), starts_at, id) WHERE status <> 'draft';
DROP INDEX events_listed;

-- +goose Down
CREATE INDEX events_listed ON events (starts_at, id) WHERE status <> 'draft';
DROP INDEX events_by_position;
