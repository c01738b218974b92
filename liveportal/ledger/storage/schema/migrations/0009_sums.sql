-- Open items are summed up by month, and sessions counted by customer, from these indexes alone.
DROP INDEX item_open;
CREATE INDEX item_open ON item (period, time, face_minor, settled_minor)
    WHERE settled_minor <> face_minor;
DROP INDEX session_by_customer;
CREATE INDEX session_by_customer ON session (customer, state, id);
CREATE INDEX session_undecided ON session (claim, earning) WHERE claim_undecided;
