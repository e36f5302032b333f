-- +goose Up
-- A mail that is due, sent or dead. The reason is unique: a message that
-- arrives twice makes one mail.
CREATE TABLE mails (
    id     uuid PRIMARY KEY,
    reason text NOT NULL UNIQUE
);

-- +goose Down
DROP TABLE mails;
