-- SPDX-License-Identifier: Apache-2.0
-- Who was told of an entry is kept for a time after the partner had to have erased it.
CREATE INDEX holding_by_age ON holding (max(held_until, told_at));
