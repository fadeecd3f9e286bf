-- SPDX-License-Identifier: Apache-2.0
-- People, acts that need two of them, notices to them.
CREATE TABLE person (
  id          TEXT    PRIMARY KEY,
  post        TEXT    NOT NULL,
  roles       TEXT    NOT NULL,  -- names with ',' between
  tls_key     BLOB    NOT NULL CHECK (length(tls_key) = 32),
  signing_key TEXT    NOT NULL,
  vouched     TEXT    NOT NULL,
  state       INTEGER NOT NULL CHECK (state IN (1, 2)),  -- active, revoked
  added_at    INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE approval (
  position     INTEGER PRIMARY KEY,
  id           TEXT    NOT NULL UNIQUE,
  act          TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  content      BLOB    NOT NULL CHECK (length(content) <= 262144),
  sha256       BLOB    NOT NULL CHECK (length(sha256) = 32),
  unsalted     BLOB    NOT NULL CHECK (length(unsalted) = 32),
  words        TEXT    NOT NULL,
  -- pending, approved, rejected, expired, urgent, reviewed
  state        INTEGER NOT NULL CHECK (state BETWEEN 1 AND 6),
  proposed_by  TEXT    NOT NULL,
  proposed_at  INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  decided_by   TEXT    NOT NULL,  -- empty: nobody yet
  decided_at   INTEGER NOT NULL,
  reason       TEXT    NOT NULL,
  decision     TEXT    NOT NULL,
  review_by    INTEGER NOT NULL,
  overdue_told INTEGER NOT NULL CHECK (overdue_told IN (0, 1)),
  reviewed_by  TEXT    NOT NULL,  -- empty: nobody yet
  reviewed_at  INTEGER NOT NULL,
  review       TEXT    NOT NULL,
  verdict      TEXT    NOT NULL
) STRICT;
-- Only what still waits, so that looking for it does not grow slower with the years.
CREATE INDEX approval_open ON approval (position) WHERE state IN (1, 5);
-- One act of one content waits at most once.
CREATE UNIQUE INDEX approval_pending ON approval (act, unsalted) WHERE state = 1;

CREATE TABLE notice (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  kind    TEXT    NOT NULL,
  subject TEXT    NOT NULL,
  words   TEXT    NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
CREATE TABLE notice_audience (
  number          INTEGER NOT NULL REFERENCES notice (number),
  role            TEXT    NOT NULL,
  acknowledged_by TEXT    NOT NULL,  -- empty: nobody yet
  acknowledged_at INTEGER NOT NULL,
  PRIMARY KEY (number, role)
) STRICT;
CREATE INDEX notice_unacknowledged ON notice_audience (number) WHERE acknowledged_by = '';

-- What the gateway itself remembers from one start to the next.
CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
