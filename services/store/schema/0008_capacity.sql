-- SPDX-License-Identifier: Apache-2.0
-- Counters of one officer and of one case beside those of an agency: `subject` is part of the key.
-- An empty one: all probes of the requester; else officer:<hex> or case:<hex> of a commitment.
CREATE TABLE capacity_of_subject (
  agreement TEXT    NOT NULL,
  clause    TEXT    NOT NULL,
  requester TEXT    NOT NULL,
  day       TEXT    NOT NULL,
  subject   TEXT    NOT NULL,
  reserved  INTEGER NOT NULL CHECK (reserved >= 0),
  PRIMARY KEY (agreement, clause, requester, day, subject)
) STRICT;
INSERT INTO capacity_of_subject SELECT agreement, clause, requester, day, '', reserved FROM capacity;
DROP TABLE capacity;
ALTER TABLE capacity_of_subject RENAME TO capacity;
CREATE INDEX capacity_by_day ON capacity (day);
