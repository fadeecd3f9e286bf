-- SPDX-License-Identifier: Apache-2.0
-- Partner agencies. `vouched` is a DSSE envelope by the agency key over all that is known of one;
-- the other columns repeat what it says.
CREATE TABLE peer (
  agency     TEXT    PRIMARY KEY,
  state      INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),  -- active, suspended, removed, self
  vouched    BLOB    NOT NULL CHECK (length(vouched) <= 524288),
  changed_at INTEGER NOT NULL
) STRICT;

-- What the contact with a partner showed. Instants are 0 when absent; lists have a space between.
CREATE TABLE peer_contact (
  agency       TEXT    PRIMARY KEY,
  last_seen    INTEGER NOT NULL,
  away_since   INTEGER NOT NULL,
  planned      INTEGER NOT NULL CHECK (planned IN (0, 1)),
  state_there  TEXT    NOT NULL,
  keys_there   TEXT    NOT NULL,
  protocol     INTEGER NOT NULL,
  software     TEXT    NOT NULL,
  capabilities TEXT    NOT NULL
) STRICT;
