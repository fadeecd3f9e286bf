-- SPDX-License-Identifier: Apache-2.0
-- As schema/0016_bound_tables.sql.
CREATE TABLE comity.table_binding (
  name       text   COLLATE "C" PRIMARY KEY,
  generation bigint NOT NULL CHECK (generation > 0),
  mac        bytea  NOT NULL CHECK (length(mac) = 32)
);
