-- The values of the payout profile: in no event, and not derived from any. What is secret or personal
-- is sealed: encrypted under the book's key, which lies elsewhere, and bound to the field, the event
-- and the book, so that it opens nowhere else. The newest value of a field is the only one kept.
CREATE TABLE sealed_value (
    field TEXT NOT NULL CONSTRAINT sealed_value_pk PRIMARY KEY,
    seq INTEGER NOT NULL CONSTRAINT sealed_value_event REFERENCES event (seq),
    key_id TEXT NOT NULL,
    nonce BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- What must be known without the key: the country, the method, the tax form and its days.
CREATE TABLE profile_fact (
    field TEXT NOT NULL CONSTRAINT profile_fact_pk PRIMARY KEY,
    seq INTEGER NOT NULL CONSTRAINT profile_fact_event REFERENCES event (seq),
    value TEXT NOT NULL
) STRICT;

-- What made the fingerprints in the journal, each sealed under the book's key of today: when that is
-- changed for another, the fingerprints of before can still be proved.
CREATE TABLE fingerprint_key (
    key_id TEXT NOT NULL CONSTRAINT fingerprint_key_pk PRIMARY KEY,
    sealed_by TEXT NOT NULL,
    nonce BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
