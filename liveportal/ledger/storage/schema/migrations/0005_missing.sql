-- What `ledger import` could not bring, because no event holds it: values of the payout profile (by
-- the event that set them last), and files that commands attached. A row goes when its value is
-- entered again, or its file is attached again.
CREATE TABLE missing_value (
    field TEXT NOT NULL CONSTRAINT missing_value_pk PRIMARY KEY,
    seq INTEGER NOT NULL CONSTRAINT missing_value_event REFERENCES event (seq)
) STRICT;

CREATE TABLE missing_file (
    artifact INTEGER NOT NULL CONSTRAINT missing_file_pk PRIMARY KEY
        CONSTRAINT missing_file_artifact REFERENCES artifact (seq)
) STRICT;
