-- +goose Up
ALTER TABLE accounts
    -- A deleted account has no e-mail.
    ALTER COLUMN email DROP NOT NULL,
    -- The language of mails.
    ADD COLUMN language          text NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'de')),
    ADD COLUMN email_verified_at timestamptz,
    -- Whether the password is known to have 12 or more characters.
    ADD COLUMN long_password     boolean NOT NULL DEFAULT false,
    -- The TOTP secret, encrypted. It counts once totp_confirmed is true.
    ADD COLUMN totp_secret       bytea,
    ADD COLUMN totp_confirmed    boolean NOT NULL DEFAULT false,
    -- The time step of the last code that was used, so that none is used twice.
    ADD COLUMN totp_last_step    bigint NOT NULL DEFAULT 0,
    -- SHA-256 of the recovery codes that are left.
    ADD COLUMN recovery_codes    bytea[] NOT NULL DEFAULT '{}',
    ADD COLUMN deleted_at        timestamptz,
    ADD CHECK ((email IS NULL) = (deleted_at IS NOT NULL));
-- Accounts that exist could pay before e-mails had to be verified.
UPDATE accounts SET email_verified_at = created_at;

CREATE TABLE mail_tokens (
    -- SHA-256 of the token.
    hash       bytea       PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES accounts,
    purpose    text        NOT NULL,
    -- The e-mail that a change of e-mail is about.
    new_email  text        NOT NULL DEFAULT '',
    expires_at timestamptz NOT NULL
);
CREATE INDEX mail_tokens_account ON mail_tokens (account_id);
CREATE INDEX mail_tokens_expires_at ON mail_tokens (expires_at);

-- +goose Down
DROP TABLE mail_tokens;
DELETE FROM accounts WHERE email IS NULL;
ALTER TABLE accounts
    ALTER COLUMN email SET NOT NULL,
    DROP COLUMN language, DROP COLUMN email_verified_at, DROP COLUMN long_password, DROP COLUMN totp_secret,
    DROP COLUMN totp_confirmed, DROP COLUMN totp_last_step, DROP COLUMN recovery_codes, DROP COLUMN deleted_at;
