-- SPDX-License-Identifier: Apache-2.0

-- The answer that told of an entry without its reference: by it a change of the entry finds the
-- alert. Empty: the alert has a reference, or is older than this column.
ALTER TABLE alert ADD COLUMN answer TEXT NOT NULL DEFAULT '';
CREATE INDEX alert_by_answer ON alert (holder, answer) WHERE answer <> '' AND sealed <> x'';
CREATE INDEX alert_unnamed ON alert (holder)
  WHERE reference = '' AND answer = '' AND sealed <> x'';

-- Swept by when it was received: `at` is the partner's word. What names a time to come is set back.
ALTER TABLE partner_withdrawal ADD COLUMN received_at INTEGER NOT NULL DEFAULT 0;
UPDATE partner_withdrawal SET at = min(at, unixepoch() * 1000000);
UPDATE partner_withdrawal SET received_at = at;
DROP INDEX partner_withdrawal_by_age;
CREATE INDEX partner_withdrawal_by_age ON partner_withdrawal (received_at);

-- What a partner's messages of one kind have used of their budget since the window began.
CREATE TABLE inbox_use (
  sender   TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  since    INTEGER NOT NULL,
  messages INTEGER NOT NULL CHECK (messages >= 0),
  weight   INTEGER NOT NULL CHECK (weight >= 0),
  PRIMARY KEY (sender, kind)
) STRICT;
