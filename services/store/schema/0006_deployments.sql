-- SPDX-License-Identifier: Apache-2.0
-- A deployment's life: approved, over or stopped, closed. 0: not yet. Those of before had no second
-- person's approval and end here: the log says what they were.
DROP TABLE deployment;
CREATE TABLE deployment (
  position        INTEGER PRIMARY KEY,
  id              TEXT    NOT NULL UNIQUE,
  state           INTEGER NOT NULL CHECK (state IN (1, 2, 3, 4)),  -- active, stopped, over, closed
  created_at      INTEGER NOT NULL,
  starts_at       INTEGER NOT NULL,
  ends_at         INTEGER NOT NULL,
  created_by      TEXT    NOT NULL,
  approved_by     TEXT    NOT NULL,
  definition      TEXT    NOT NULL,
  activated_at    INTEGER NOT NULL,
  ended_at        INTEGER NOT NULL,
  deletion_due_at INTEGER NOT NULL,
  closed_at       INTEGER NOT NULL,
  faces           INTEGER NOT NULL CHECK (faces >= 0),
  alerts          INTEGER NOT NULL CHECK (alerts >= 0),
  false_alerts    INTEGER NOT NULL CHECK (false_alerts >= 0)
) STRICT;
CREATE INDEX deployment_by_state ON deployment (state, position);

CREATE TABLE deployment_holder (
  deployment   TEXT    NOT NULL REFERENCES deployment (id),
  holder       TEXT    NOT NULL,
  -- waiting, validated, stale, refused, unreachable
  state        INTEGER NOT NULL CHECK (state IN (1, 2, 3, 4, 5)),
  reason       TEXT    NOT NULL,
  checked_at   INTEGER NOT NULL,
  validated_at INTEGER NOT NULL,
  entries      INTEGER NOT NULL CHECK (entries >= 0),
  alerts       INTEGER NOT NULL CHECK (alerts >= 0),
  false_alerts INTEGER NOT NULL CHECK (false_alerts >= 0),
  PRIMARY KEY (deployment, holder)
) STRICT;
