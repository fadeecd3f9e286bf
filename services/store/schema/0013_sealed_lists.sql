-- SPDX-License-Identifier: Apache-2.0

-- The sealed lists that this agency made for partners. Secrets are under a key of each list; without
-- that key every copy of it, here and at the partner, is of no use.
CREATE TABLE sealed_list (
  position          INTEGER PRIMARY KEY,
  header            BLOB    NOT NULL UNIQUE CHECK (length(header) = 32),
  list              TEXT    NOT NULL,
  requester         TEXT    NOT NULL,
  agreement         TEXT    NOT NULL,
  agreement_version INTEGER NOT NULL CHECK (agreement_version > 0),
  agreement_sha256  BLOB    NOT NULL CHECK (length(agreement_sha256) = 32),
  purpose           TEXT    NOT NULL,
  epoch             INTEGER NOT NULL CHECK (epoch > 0),
  state             INTEGER NOT NULL CHECK (state IN (1, 2, 3)),  -- in force, superseded, ended
  sealed_at         INTEGER NOT NULL,
  valid_until       INTEGER NOT NULL,
  sequence          INTEGER NOT NULL CHECK (sequence > 0),
  held_sequence     INTEGER NOT NULL CHECK (held_sequence >= 0),  -- 0: the partner holds nothing
  held_at           INTEGER,
  erased_at         INTEGER,
  ended_at          INTEGER,
  end_reason        TEXT    NOT NULL,
  wrapped_key       BLOB    NOT NULL,
  sealed_header     BLOB    NOT NULL,
  sealed_state      BLOB    NOT NULL
) STRICT;
CREATE INDEX sealed_list_in_use ON sealed_list (position) WHERE state <> 3;

-- `released` counts the hits that left under this block's root; `resealed` is the sequence at which
-- that root took the place of another, 0 for a first one.
CREATE TABLE sealed_block (
  header   BLOB    NOT NULL REFERENCES sealed_list (header),
  number   INTEGER NOT NULL CHECK (number BETWEEN 0 AND 1023),
  hash     BLOB    NOT NULL CHECK (length(hash) = 32),
  count    INTEGER NOT NULL CHECK (count BETWEEN 1 AND 1024),
  released INTEGER NOT NULL CHECK (released >= 0),
  resealed INTEGER NOT NULL CHECK (resealed >= 0),
  root     BLOB    NOT NULL,
  handles  BLOB    NOT NULL,
  PRIMARY KEY (header, number)
) STRICT;
-- Asked before each search: whether a block has no budget left.
CREATE INDEX sealed_block_release ON sealed_block (header, number, released, resealed);
