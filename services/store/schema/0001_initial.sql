-- SPDX-License-Identifier: Apache-2.0
-- Instants are microseconds since 1970-01-01T00:00:00Z; `position` is the order of arrival. Octets
-- that were signed or encrypted are BLOB, never TEXT, so that no collation or encoding touches them.

CREATE TABLE schema_version (
  version INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE agreement_document (
  position    INTEGER PRIMARY KEY,
  agreement   TEXT    NOT NULL,
  version     INTEGER NOT NULL CHECK (version > 0),
  sha256      BLOB    NOT NULL CHECK (length(sha256) = 32),
  yaml        BLOB    NOT NULL,
  received_at INTEGER NOT NULL,
  UNIQUE (agreement, version)
) STRICT;

CREATE TABLE agreement_statement (
  position    INTEGER PRIMARY KEY,
  id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 32),
  agreement   TEXT    NOT NULL,
  envelope    BLOB    NOT NULL,
  received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE watchlist (
  position         INTEGER PRIMARY KEY,
  reference        TEXT    NOT NULL UNIQUE,
  engine_name      TEXT    NOT NULL,
  engine_version   TEXT    NOT NULL,
  engine_dimension INTEGER NOT NULL CHECK (engine_dimension > 0),
  imported_at      INTEGER NOT NULL,
  wrapped_key      BLOB    NOT NULL
) STRICT;

CREATE TABLE watchlist_entry (
  position        INTEGER PRIMARY KEY,
  list            TEXT    NOT NULL REFERENCES watchlist (reference),
  reference       TEXT    NOT NULL,
  category        TEXT    NOT NULL,
  state           INTEGER NOT NULL CHECK (state IN (1, 2)),  -- active, withdrawn
  valid_from      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL,
  wrapped_key     BLOB    NOT NULL,
  sealed_template BLOB    NOT NULL,
  sealed_fields   BLOB    NOT NULL,
  UNIQUE (list, reference)
) STRICT;
CREATE INDEX watchlist_entry_by_list ON watchlist_entry (list, position);

CREATE TABLE deployment (
  position   INTEGER PRIMARY KEY,
  id         TEXT    NOT NULL UNIQUE,
  state      INTEGER NOT NULL CHECK (state IN (1, 2)),  -- active, stopped
  created_at INTEGER NOT NULL,
  starts_at  INTEGER NOT NULL,
  ends_at    INTEGER NOT NULL,
  created_by TEXT    NOT NULL,
  definition TEXT    NOT NULL
) STRICT;

CREATE TABLE alert (
  position    INTEGER PRIMARY KEY,
  id          TEXT    NOT NULL UNIQUE,
  deployment  TEXT    NOT NULL,
  holder      TEXT    NOT NULL,
  reference   TEXT    NOT NULL,
  state       INTEGER NOT NULL CHECK (state IN (1, 2)),  -- new, acknowledged
  first_seen  INTEGER NOT NULL,
  last_seen   INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  frames      INTEGER NOT NULL,
  wrapped_key BLOB    NOT NULL,
  sealed      BLOB    NOT NULL
) STRICT;
CREATE INDEX alert_by_entry ON alert (deployment, holder, reference, first_seen, position);
CREATE INDEX alert_by_age ON alert (first_seen, position);
-- Only what still has something to erase, so that erasing does not grow slower with the years.
CREATE INDEX alert_to_erase ON alert (expires_at) WHERE wrapped_key <> x'' OR sealed <> x'';

-- The log. Its index is gap-free and an entry stands for ever: the triggers refuse anything else.
CREATE TABLE audit_entry (
  leaf_index INTEGER PRIMARY KEY CHECK (leaf_index >= 0),
  entry      BLOB    NOT NULL CHECK (length(entry) BETWEEN 1 AND 8192),
  exchange   TEXT    NOT NULL  -- the exchange id that the entry names; empty if none
) STRICT;
CREATE INDEX audit_entry_by_exchange ON audit_entry (exchange, leaf_index) WHERE exchange <> '';
CREATE TRIGGER audit_entry_is_next BEFORE INSERT ON audit_entry
WHEN NEW.leaf_index <> (SELECT coalesce(max(leaf_index) + 1, 0) FROM audit_entry)
BEGIN
  SELECT raise(ABORT, 'the log has no gaps');
END;
CREATE TRIGGER audit_entry_is_never_changed BEFORE UPDATE ON audit_entry
BEGIN
  SELECT raise(ABORT, 'log entries are never changed');
END;
CREATE TRIGGER audit_entry_is_never_deleted BEFORE DELETE ON audit_entry
BEGIN
  SELECT raise(ABORT, 'log entries are never deleted');
END;

CREATE TABLE audit_payload (
  leaf_index  INTEGER PRIMARY KEY REFERENCES audit_entry (leaf_index),
  wrapped_key BLOB    NOT NULL,
  sealed      BLOB    NOT NULL
) STRICT;

CREATE TABLE checkpoint (
  size INTEGER PRIMARY KEY CHECK (size >= 0),
  note BLOB    NOT NULL
) STRICT;

CREATE TABLE capacity (
  agreement TEXT    NOT NULL,
  clause    TEXT    NOT NULL,
  requester TEXT    NOT NULL,
  day       TEXT    NOT NULL,
  reserved  INTEGER NOT NULL CHECK (reserved >= 0),
  PRIMARY KEY (agreement, clause, requester, day)
) STRICT;

CREATE TABLE replay (
  sender     TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  keep_until INTEGER NOT NULL,
  PRIMARY KEY (sender, id)
) STRICT;
CREATE INDEX replay_by_age ON replay (keep_until);
