-- What sessions add to the counts of each month, kept as it was booked: a correction adds to its own
-- month, with its sign, and never changes one that is over. A free session moves no money, so a count
-- need not belong to a transaction. Older books get theirs from their journal (`ledger/backfill.py`).
CREATE TABLE session_count (
    seq INTEGER NOT NULL CONSTRAINT session_count_event REFERENCES event (seq),
    n INTEGER NOT NULL,
    session TEXT NOT NULL CONSTRAINT session_count_session REFERENCES session (id),
    kind TEXT NOT NULL,
    time TEXT NOT NULL,
    period TEXT NOT NULL,
    start TEXT NOT NULL,
    "end" TEXT NOT NULL,
    billed_us INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    free_sessions INTEGER NOT NULL,
    "transaction" INTEGER CONSTRAINT session_count_transaction REFERENCES "transaction" (id),
    CONSTRAINT session_count_pk PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_count_by_period
    ON session_count (period, sessions, free_sessions, billed_us);
CREATE INDEX session_count_by_session ON session_count (session);
CREATE INDEX session_count_by_end ON session_count ("end") WHERE sessions > 0;

CREATE TRIGGER session_count_never_changes BEFORE UPDATE ON session_count
BEGIN SELECT RAISE(ABORT, 'counts are append-only'); END;
CREATE TRIGGER session_count_never_goes BEFORE DELETE ON session_count
BEGIN SELECT RAISE(ABORT, 'counts are append-only'); END;
CREATE TRIGGER session_count_only_once BEFORE INSERT ON session_count
WHEN EXISTS (SELECT 1 FROM session_count WHERE seq = NEW.seq AND n = NEW.n)
BEGIN SELECT RAISE(ABORT, 'counts are append-only'); END;
