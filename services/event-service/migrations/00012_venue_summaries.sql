-- +goose Up
-- What a list of venues shows, apart from the document, which may be of 8 MB.
-- NULL in the rows of a version that does not know of it: then the document is
-- read, once.
ALTER TABLE venues ADD COLUMN seat_count int, ADD COLUMN categories jsonb;
CREATE INDEX venues_of_owner ON venues (owner_id, id);

-- +goose Down
DROP INDEX venues_of_owner;
ALTER TABLE venues DROP COLUMN seat_count, DROP COLUMN categories;
