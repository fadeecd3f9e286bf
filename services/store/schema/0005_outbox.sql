-- SPDX-License-Identifier: Apache-2.0

-- Messages to partners. AUTOINCREMENT: a number never comes again, so the order stands.
CREATE TABLE outbox (
  number          INTEGER PRIMARY KEY AUTOINCREMENT,
  peer            TEXT    NOT NULL,
  id              TEXT    NOT NULL UNIQUE CHECK (length(id) = 26),
  kind            TEXT    NOT NULL,
  content         BLOB    NOT NULL CHECK (length(content) <= 65536),
  created_at      INTEGER NOT NULL,
  due_by          INTEGER,           -- NULL: no deadline
  refused         TEXT    NOT NULL,  -- the code of the peer's last refusal
  told            INTEGER NOT NULL,
  acknowledged_at INTEGER,           -- NULL: it waits
  receipt         BLOB    NOT NULL
) STRICT;
CREATE INDEX outbox_waiting ON outbox (peer, number) WHERE acknowledged_at IS NULL;
CREATE INDEX outbox_by_kind ON outbox (kind, number);
CREATE INDEX outbox_to_erase ON outbox (acknowledged_at) WHERE content <> x'';

-- Messages of partners that were taken: each has its effect once.
CREATE TABLE inbox (
  sender      TEXT    NOT NULL,
  id          TEXT    NOT NULL,
  kind        TEXT    NOT NULL,
  content     BLOB    NOT NULL CHECK (length(content) = 32),  -- SHA-256
  receipt     BLOB    NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (sender, id)
) STRICT;

-- Which partner was told of which own entry, and what it was last told of a change.
CREATE TABLE holding (
  list          TEXT    NOT NULL,
  reference     TEXT    NOT NULL,
  partner       TEXT    NOT NULL,
  agreement     TEXT    NOT NULL,
  version       INTEGER NOT NULL CHECK (version > 0),
  released      INTEGER NOT NULL,  -- bits: 1 reference, 2 category, 4 response code
  first_told_at INTEGER NOT NULL,
  told_at       INTEGER NOT NULL,
  held_until    INTEGER NOT NULL,
  times         INTEGER NOT NULL CHECK (times > 0),
  change        TEXT    NOT NULL,
  message       INTEGER NOT NULL,  -- outbox number; 0: none
  PRIMARY KEY (list, reference, partner, agreement)
) STRICT;
CREATE INDEX holding_by_reference ON holding (reference);
CREATE INDEX holding_by_agreement ON holding (partner, agreement);

-- What last happened to an own entry, so that a hit that was under way then is told of it, too.
CREATE TABLE entry_change (
  list          TEXT    NOT NULL,
  reference     TEXT    NOT NULL,
  change        TEXT    NOT NULL,
  category      TEXT    NOT NULL,
  response_code TEXT    NOT NULL,
  at            INTEGER NOT NULL,
  PRIMARY KEY (list, reference)
) STRICT;

-- By which answers a partner knows an entry whose reference it was not given.
CREATE TABLE holding_answer (
  position  INTEGER PRIMARY KEY,
  list      TEXT NOT NULL,
  reference TEXT NOT NULL,
  partner   TEXT NOT NULL,
  answer    TEXT NOT NULL,
  UNIQUE (list, reference, partner, answer)
) STRICT;

-- What partners said of their entries: a hit that was answered before is not raised any more.
CREATE TABLE partner_withdrawal (
  holder  TEXT    NOT NULL,
  subject TEXT    NOT NULL,  -- a reference, or the exchange id of an answer
  at      INTEGER NOT NULL,
  PRIMARY KEY (holder, subject)
) STRICT;
CREATE INDEX partner_withdrawal_by_age ON partner_withdrawal (at);

-- What must be deleted because an agreement ended, at a partner or here.
CREATE TABLE deletion (
  position   INTEGER PRIMARY KEY,
  agreement  TEXT    NOT NULL,
  version    INTEGER NOT NULL CHECK (version > 0),
  holder     TEXT    NOT NULL,
  ordered_at INTEGER NOT NULL,
  due_by     INTEGER NOT NULL,
  message    INTEGER NOT NULL,  -- outbox number of the order; 0: own deletion
  done_at    INTEGER,           -- NULL: not answered
  erased     INTEGER NOT NULL,
  UNIQUE (agreement, version, holder)
) STRICT;

-- Alerts learn a third state, under which agreement they were raised and what the holder said since.
CREATE TABLE alert_with_agreement (
  position    INTEGER PRIMARY KEY,
  id          TEXT    NOT NULL UNIQUE,
  deployment  TEXT    NOT NULL,
  holder      TEXT    NOT NULL,
  reference   TEXT    NOT NULL,
  state       INTEGER NOT NULL CHECK (state IN (1, 2, 3)),  -- new, acknowledged, withdrawn
  first_seen  INTEGER NOT NULL,
  last_seen   INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  frames      INTEGER NOT NULL,
  agreement   TEXT    NOT NULL,  -- empty: raised before this column was
  version     INTEGER NOT NULL,
  change      TEXT    NOT NULL,  -- of the entry at the holder; empty: none
  changed_at  INTEGER NOT NULL,
  wrapped_key BLOB    NOT NULL,
  sealed      BLOB    NOT NULL
) STRICT;
INSERT INTO alert_with_agreement
  SELECT position, id, deployment, holder, reference, state, first_seen, last_seen, expires_at,
         frames, '', 0, '', 0, wrapped_key, sealed FROM alert;
DROP TABLE alert;
ALTER TABLE alert_with_agreement RENAME TO alert;
CREATE INDEX alert_by_entry ON alert (deployment, holder, reference, first_seen, position);
CREATE INDEX alert_by_reference ON alert (holder, reference);
CREATE INDEX alert_by_agreement ON alert (agreement);
CREATE INDEX alert_by_age ON alert (first_seen, position);
-- Only what still has something to erase, so that erasing does not grow slower with the years.
CREATE INDEX alert_to_erase ON alert (expires_at) WHERE wrapped_key <> x'' OR sealed <> x'';
