-- SPDX-License-Identifier: Apache-2.0
-- The later of two instants, spelled so that every database understands it: an index serves only a
-- statement that has its very words.
DROP INDEX holding_by_age;
CREATE INDEX holding_by_age
  ON holding (CASE WHEN held_until > told_at THEN held_until ELSE told_at END);
DROP INDEX approval_to_erase;
CREATE INDEX approval_to_erase
  ON approval (CASE WHEN decided_at > expires_at THEN decided_at ELSE expires_at END)
  WHERE content <> x'' AND state NOT IN (1, 5);
