-- +goose Up
CREATE TABLE accounts (
    id            uuid PRIMARY KEY,
    -- Normalised: trimmed, lower case.
    email         text NOT NULL CONSTRAINT accounts_email UNIQUE,
    name          text NOT NULL,
    role          text NOT NULL CHECK (role IN ('customer', 'organizer', 'admin')),
    -- argon2id in the PHC string format, with its parameters.
    password_hash text NOT NULL,
    created_at    timestamptz NOT NULL
);
CREATE INDEX accounts_admins ON accounts (id) WHERE role = 'admin';

-- +goose Down
DROP TABLE accounts;
