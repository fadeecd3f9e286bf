-- SPDX-License-Identifier: Apache-2.0

-- What happens once in the life of an agreement version, and was done.
CREATE TABLE agreement_mark (
  agreement TEXT    NOT NULL,
  version   INTEGER NOT NULL CHECK (version > 0),
  sha256    BLOB    NOT NULL CHECK (length(sha256) = 32),
  mark      TEXT    NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (agreement, version, mark)
) STRICT;

-- The status of a version as the other party last said that it computes it.
CREATE TABLE agreement_peer_status (
  agreement TEXT    NOT NULL,
  version   INTEGER NOT NULL CHECK (version > 0),
  sha256    BLOB    NOT NULL CHECK (length(sha256) = 32),
  peer      TEXT    NOT NULL,
  status    TEXT    NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (agreement, version, peer)
) STRICT;
