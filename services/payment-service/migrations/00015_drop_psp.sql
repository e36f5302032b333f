-- +goose Up
-- The simulated provider is a program with a database of its own.
DROP SCHEMA IF EXISTS psp CASCADE;

-- +goose Down
SELECT 1;
