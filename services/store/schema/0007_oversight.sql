-- SPDX-License-Identifier: Apache-2.0

-- The stop control.
CREATE TABLE stop (
  position    INTEGER PRIMARY KEY,
  id          TEXT    NOT NULL UNIQUE,
  scope       INTEGER NOT NULL CHECK (scope IN (1, 2, 3, 4)),  -- deployment, list, partner, agreement
  reference   TEXT    NOT NULL,
  set_by      TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  regulator   TEXT    NOT NULL,  -- reference of the order that is carried out; empty: none
  set_at      INTEGER NOT NULL,
  lifted_by   TEXT    NOT NULL,  -- empty: it stands
  lift_reason TEXT    NOT NULL,
  lifted_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX stop_that_stands ON stop (position) WHERE lifted_by = '';

-- What the alarms against harvesting count, within their longest window.
CREATE TABLE watched_hit (
  position INTEGER PRIMARY KEY,
  watch    TEXT    NOT NULL,
  entry    BLOB    NOT NULL CHECK (length(entry) = 32),
  at       INTEGER NOT NULL,
  is_first INTEGER NOT NULL CHECK (is_first IN (0, 1))
) STRICT;
CREATE INDEX watched_hit_by_watch ON watched_hit (watch, position);
CREATE INDEX watched_hit_by_age ON watched_hit (at);
CREATE TABLE watched_probes (
  position INTEGER PRIMARY KEY,
  watch    TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  probes   INTEGER NOT NULL CHECK (probes > 0)
) STRICT;
CREATE INDEX watched_probes_by_watch ON watched_probes (watch, position);
CREATE INDEX watched_probes_by_age ON watched_probes (at);

-- Payloads of log entries go when their period is over: `erase_at` is set when the entry is written.
ALTER TABLE audit_payload ADD COLUMN erase_at INTEGER NOT NULL DEFAULT 0;
UPDATE audit_payload SET erase_at = (
  SELECT CAST(strftime('%s', json_extract(CAST(entry AS TEXT), '$.time')) AS INTEGER)
         * 1000000 + 94608000000000  -- 1,095 days
    FROM audit_entry e WHERE e.leaf_index = audit_payload.leaf_index
     AND json_valid(CAST(entry AS TEXT))
     AND strftime('%s', json_extract(CAST(entry AS TEXT), '$.time')) IS NOT NULL)
 WHERE EXISTS (
  SELECT 1 FROM audit_entry e WHERE e.leaf_index = audit_payload.leaf_index
     AND json_valid(CAST(entry AS TEXT))
     AND strftime('%s', json_extract(CAST(entry AS TEXT), '$.time')) IS NOT NULL);
CREATE INDEX audit_payload_to_erase ON audit_payload (erase_at)
  WHERE wrapped_key <> x'' AND erase_at > 0;
CREATE INDEX approval_to_erase ON approval (max(decided_at, expires_at))
  WHERE content <> x'' AND state NOT IN (1, 5);
CREATE INDEX notice_to_erase ON notice (at) WHERE words <> '';
CREATE INDEX inbox_to_erase ON inbox (received_at) WHERE receipt <> x'';
CREATE INDEX outbox_receipt_to_erase ON outbox (acknowledged_at) WHERE receipt <> x'';

-- What was erased: metadata only. `sequence` is the line of the erasure ledger.
CREATE TABLE erasure (
  position     INTEGER PRIMARY KEY,
  at           INTEGER NOT NULL,
  record_class TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  records      INTEGER NOT NULL CHECK (records > 0),
  sequence     INTEGER NOT NULL,
  late_ms      INTEGER NOT NULL CHECK (late_ms >= 0)
) STRICT;
CREATE INDEX erasure_by_time ON erasure (at, position);

-- The ledger's line up to which every line has its effect here.
CREATE TABLE erasure_head (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  hash     BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE retention_hold (
  number       INTEGER PRIMARY KEY AUTOINCREMENT,
  record_class TEXT    NOT NULL,
  reference    TEXT    NOT NULL,  -- '*': every record of the class
  reason       TEXT    NOT NULL,
  held_by      TEXT    NOT NULL,
  approved_by  TEXT    NOT NULL,
  held_at      INTEGER NOT NULL,
  review_by    INTEGER NOT NULL,
  told         INTEGER NOT NULL CHECK (told BETWEEN 0 AND 2),
  released_at  INTEGER            -- NULL: it stands
) STRICT;
CREATE UNIQUE INDEX retention_hold_that_stands ON retention_hold (record_class, reference)
  WHERE released_at IS NULL;

-- Where this database came out of a backup. No row: it never did.
CREATE TABLE restoration (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  state        INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),  -- never, copy, restored, confirmed
  backup       TEXT    NOT NULL,
  made_at      INTEGER NOT NULL,
  log_size     INTEGER NOT NULL CHECK (log_size >= 0),
  largest_seen INTEGER NOT NULL CHECK (largest_seen >= 0),
  ledger_line  INTEGER NOT NULL CHECK (ledger_line >= 0),  -- the ledger's last when it was made
  ledger_hash  BLOB    NOT NULL CHECK (length(ledger_hash) = 32),
  ledger_until INTEGER NOT NULL,
  replayed     INTEGER NOT NULL CHECK (replayed >= 0),
  restored_at  INTEGER NOT NULL,
  confirmed_at INTEGER NOT NULL,
  log_origin   TEXT    NOT NULL  -- empty: the first log of this agency
) STRICT;
CREATE TABLE restoration_reached (
  peer TEXT PRIMARY KEY
) STRICT;
