-- SPDX-License-Identifier: Apache-2.0
-- What the gateway says of a whole table, under a key that is not in the database: whoever writes a
-- row of that table without the key is found out. Source: docs/formats/bound_tables.md
CREATE TABLE table_binding (
  name       TEXT    PRIMARY KEY,
  generation INTEGER NOT NULL CHECK (generation > 0),
  mac        BLOB    NOT NULL CHECK (length(mac) = 32)
) STRICT;
