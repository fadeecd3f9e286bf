-- SPDX-License-Identifier: Apache-2.0
-- What the gateway vouches for of an act that waits: empty in those that were proposed before, which
-- are proposed again.
ALTER TABLE approval ADD COLUMN vouched BLOB NOT NULL DEFAULT x'';
