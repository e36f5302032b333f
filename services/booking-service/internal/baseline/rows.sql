-- What people usually write: a row a seat, locked, changed and committed together with the booking and its message.
CREATE SCHEMA IF NOT EXISTS baseline;
CREATE TABLE IF NOT EXISTS baseline.seats (
  event_id   uuid     NOT NULL,
  -- Block and index in one number, so that the order of locking is that of the key.
  seat       integer  NOT NULL,
  state      smallint NOT NULL DEFAULT 0,
  booking_id uuid,
  PRIMARY KEY (event_id, seat)
) WITH (fillfactor = 70); -- leaves room on a page, so that an update need not touch the index
CREATE TABLE IF NOT EXISTS baseline.bookings (
  id         uuid PRIMARY KEY,
  event_id   uuid        NOT NULL,
  user_id    uuid        NOT NULL,
  status     text        NOT NULL,
  seats      jsonb       NOT NULL,
  total      bigint      NOT NULL,
  currency   text        NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS bookings_by_user ON baseline.bookings (user_id, created_at DESC);
CREATE TABLE IF NOT EXISTS baseline.outbox (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic      text  NOT NULL,
  booking_id uuid  NOT NULL,
  payload    jsonb NOT NULL
);
