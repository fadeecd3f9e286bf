-- SPDX-License-Identifier: Apache-2.0
-- Lists with a life: drafted, approved, closed, deleted. Lists of the former form were never approved
-- by anybody and are erased: no entry matches without an approved list.
DROP TABLE watchlist_entry;
DROP TABLE watchlist;

CREATE TABLE watchlist (
  position    INTEGER PRIMARY KEY,
  reference   TEXT    NOT NULL UNIQUE,
  -- draft, approved, closed, deleted
  state       INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),
  definition  BLOB    NOT NULL CHECK (length(definition) <= 65536),
  drafters    TEXT    NOT NULL,  -- person ids with ' ' between
  content     BLOB    NOT NULL CHECK (length(content) = 32),
  drafted_at  INTEGER NOT NULL,
  approved_by TEXT    NOT NULL,  -- empty: nobody yet
  approved_at INTEGER,
  validated_at INTEGER,
  closed_at   INTEGER,
  delete_by   INTEGER,
  deleted_at  INTEGER,
  imports     INTEGER NOT NULL CHECK (imports >= 0),
  importing   INTEGER NOT NULL CHECK (importing IN (0, 1)),  -- the last batch does not count yet
  wrapped_key BLOB    NOT NULL,
  manifest    TEXT    NOT NULL
) STRICT;

-- What is read most stands before what is large.
CREATE TABLE watchlist_entry (
  position        INTEGER PRIMARY KEY,
  list            TEXT    NOT NULL REFERENCES watchlist (reference),
  batch           INTEGER NOT NULL CHECK (batch > 0),
  reference       TEXT    NOT NULL,
  category        TEXT    NOT NULL,
  state           INTEGER NOT NULL CHECK (state IN (1, 2, 3)),        -- active, withdrawn, expired
  restriction     INTEGER NOT NULL CHECK (restriction IN (1, 2, 3)),  -- none, restricted, contested
  clearance       INTEGER NOT NULL CHECK (clearance IN (1, 2, 3)),    -- not needed, pending, given
  under_18        INTEGER NOT NULL CHECK (under_18 IN (0, 1)),
  valid_from      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL,
  review_by       INTEGER NOT NULL,
  as_of           INTEGER NOT NULL,
  cleared_at      INTEGER,
  ended_at        INTEGER,
  rationale       BLOB    NOT NULL CHECK (length(rationale) = 32),
  wrapped_key     BLOB    NOT NULL,
  sealed_fields   BLOB    NOT NULL,
  sealed_template BLOB    NOT NULL,
  UNIQUE (list, reference)
) STRICT;
CREATE INDEX watchlist_entry_by_list ON watchlist_entry (list, position);
CREATE INDEX watchlist_entry_by_reference ON watchlist_entry (reference, position);
-- Only what still has something to erase.
CREATE INDEX watchlist_entry_to_erase ON watchlist_entry (list, position) WHERE wrapped_key <> x'';
