-- SPDX-License-Identifier: Apache-2.0

-- This agency's copies of other agencies' sealed lists: what the holder signed. The blocks are
-- files.
CREATE TABLE sealed_copy (
  header          BLOB    NOT NULL PRIMARY KEY CHECK (length(header) = 32),
  holder          TEXT    NOT NULL,
  header_envelope BLOB    NOT NULL,
  sequence        INTEGER NOT NULL CHECK (sequence > 0),
  state           BLOB    NOT NULL CHECK (length(state) = 32),
  state_envelope  BLOB    NOT NULL,
  received_at     INTEGER NOT NULL
) STRICT;
