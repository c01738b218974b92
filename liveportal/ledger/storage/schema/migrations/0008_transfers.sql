-- Details of a payout's arrival and return; null until they are reported. `evidence` is JSON.
ALTER TABLE payout ADD COLUMN arrived_at TEXT;
ALTER TABLE payout ADD COLUMN fee_minor INTEGER;
ALTER TABLE payout ADD COLUMN received_minor INTEGER;
ALTER TABLE payout ADD COLUMN received_currency TEXT;
ALTER TABLE payout ADD COLUMN evidence TEXT;
ALTER TABLE payout ADD COLUMN debited_minor INTEGER;
UPDATE payout SET arrived_at = (
    SELECT event.time FROM statement JOIN event USING (seq)
    WHERE thing = 'payout:' || payout.id AND statement.type = 'payout.paid' AND confirms IS NULL
    ORDER BY seq DESC LIMIT 1
) WHERE state IN ('paid', 'returned');

-- Other ids of payouts, such as the platform's id of a payout that was first seen in a statement.
CREATE TABLE payout_alias (
    alias TEXT NOT NULL CONSTRAINT payout_alias_pk PRIMARY KEY,
    payout TEXT NOT NULL CONSTRAINT payout_alias_payout REFERENCES payout (id)
) STRICT, WITHOUT ROWID;

-- The id of the key that makes the book's fingerprints; the key itself is stored beside the ledger.
CREATE TABLE identity_key (
    key_id TEXT NOT NULL CONSTRAINT identity_key_pk PRIMARY KEY
) STRICT;
