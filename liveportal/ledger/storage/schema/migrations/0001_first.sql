-- The first form of a book. Times are UTC text of fixed width (they sort), amounts are minor units,
-- spans are microseconds. Every constraint has a name: the name is the error message.

-- The journal: what happened, once each, chained by hashes. Bytes are written once.
CREATE TABLE event (
    seq INTEGER NOT NULL CONSTRAINT event_pk PRIMARY KEY CONSTRAINT event_seq_from_1 CHECK (seq >= 1),
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    time TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    facts TEXT NOT NULL,
    personal_digest BLOB NOT NULL,
    effects_digest BLOB NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    CONSTRAINT event_named_once UNIQUE (source, id)
) STRICT;

-- What can be erased together with a person, with its own salt so that nothing can be guessed back.
CREATE TABLE event_personal (
    seq INTEGER NOT NULL CONSTRAINT event_personal_pk PRIMARY KEY
        CONSTRAINT event_personal_event REFERENCES event (seq),
    salt BLOB NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- Which thing an event is about, so that a fact told twice is found: confirms is the event that
-- told it first, null where it had an effect of its own.
CREATE TABLE statement (
    thing TEXT NOT NULL,
    type TEXT NOT NULL,
    seq INTEGER NOT NULL CONSTRAINT statement_event REFERENCES event (seq),
    source TEXT NOT NULL,
    confirms INTEGER CONSTRAINT statement_confirms REFERENCES event (seq),
    CONSTRAINT statement_pk PRIMARY KEY (thing, type, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE reversal (
    seq INTEGER NOT NULL CONSTRAINT reversal_pk PRIMARY KEY
        CONSTRAINT reversal_event REFERENCES event (seq),
    reversed_seq INTEGER NOT NULL CONSTRAINT reversed_once UNIQUE
        CONSTRAINT reversal_reversed REFERENCES event (seq)
) STRICT;

-- The books: transactions of transfers. Balance is by construction.
CREATE TABLE "transaction" (
    id INTEGER NOT NULL CONSTRAINT transaction_pk PRIMARY KEY,
    seq INTEGER NOT NULL CONSTRAINT transaction_event REFERENCES event (seq),
    kind TEXT NOT NULL,
    time TEXT NOT NULL,
    period TEXT NOT NULL,
    session TEXT,
    claim TEXT,
    payout TEXT,
    adjustment TEXT
) STRICT;
CREATE INDEX transaction_by_period ON "transaction" (period, kind);
CREATE INDEX transaction_by_session ON "transaction" (session);
CREATE INDEX transaction_by_seq ON "transaction" (seq);

CREATE TABLE transfer (
    "transaction" INTEGER NOT NULL CONSTRAINT transfer_transaction REFERENCES "transaction" (id),
    n INTEGER NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount INTEGER NOT NULL CONSTRAINT transfer_moves_something CHECK (amount > 0),
    period TEXT NOT NULL,
    CONSTRAINT transfer_pk PRIMARY KEY ("transaction", n),
    CONSTRAINT transfer_between_two CHECK (debit <> credit)
) STRICT, WITHOUT ROWID;

-- Derived from transfer, kept in the same database transaction: flows, never balances.
CREATE TABLE month_flow (
    period TEXT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount INTEGER NOT NULL,
    count INTEGER NOT NULL,
    CONSTRAINT month_flow_pk PRIMARY KEY (period, debit, credit)
) STRICT, WITHOUT ROWID;

-- The things as they stand. No personal text: it is in event_personal only.
CREATE TABLE policy (
    seq INTEGER NOT NULL CONSTRAINT policy_pk PRIMARY KEY
        CONSTRAINT policy_event REFERENCES event (seq),
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    timezone TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;

CREATE TABLE customer (
    id TEXT NOT NULL CONSTRAINT customer_pk PRIMARY KEY,
    described_seq INTEGER NOT NULL CONSTRAINT customer_event REFERENCES event (seq)
) STRICT;

CREATE TABLE request (
    id TEXT NOT NULL CONSTRAINT request_pk PRIMARY KEY,
    kind TEXT NOT NULL,
    direct INTEGER NOT NULL,
    customer TEXT NOT NULL CONSTRAINT request_customer REFERENCES customer (id),
    rate INTEGER NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT request_state
        CHECK (state IN ('open', 'accepted', 'declined', 'withdrawn', 'taken', 'expired')),
    opened_at TEXT NOT NULL,
    opened_seq INTEGER NOT NULL CONSTRAINT request_event REFERENCES event (seq),
    slots TEXT NOT NULL,
    expires TEXT,
    session TEXT,
    closed_at TEXT,
    flags TEXT NOT NULL
) STRICT;
CREATE INDEX request_open ON request (opened_at) WHERE state = 'open';
CREATE INDEX request_by_customer ON request (customer);

CREATE TABLE session (
    id TEXT NOT NULL CONSTRAINT session_pk PRIMARY KEY,
    customer TEXT NOT NULL CONSTRAINT session_customer REFERENCES customer (id),
    state TEXT NOT NULL CONSTRAINT session_state
        CHECK (state IN ('upcoming', 'live', 'paused', 'ended', 'cancelled', 'missed')),
    rate INTEGER NOT NULL,
    currency TEXT NOT NULL,
    policy INTEGER NOT NULL CONSTRAINT session_policy REFERENCES policy (seq),
    agreed_seq INTEGER NOT NULL CONSTRAINT session_event REFERENCES event (seq),
    last_time TEXT NOT NULL,
    request TEXT CONSTRAINT session_request REFERENCES request (id),
    planned_start TEXT,
    planned_minutes INTEGER,
    start TEXT,
    "end" TEXT,
    paused_since TEXT,
    pauses TEXT NOT NULL,
    active_us INTEGER NOT NULL,
    billed_us INTEGER NOT NULL,
    gross_minor INTEGER NOT NULL,
    fee_minor INTEGER NOT NULL,
    expected_minor INTEGER NOT NULL,
    refunded_minor INTEGER NOT NULL,
    earning INTEGER CONSTRAINT session_earning REFERENCES "transaction" (id),
    claim TEXT,
    claim_undecided INTEGER NOT NULL,
    period TEXT,
    flags TEXT NOT NULL
) STRICT;
CREATE INDEX session_agenda ON session (state) WHERE state IN ('upcoming', 'live', 'paused');
CREATE INDEX session_by_period ON session (period, gross_minor, billed_us) WHERE period IS NOT NULL;
CREATE INDEX session_by_end ON session ("end") WHERE gross_minor > 0;
CREATE INDEX session_by_earning ON session (earning) WHERE earning IS NOT NULL;
CREATE INDEX session_by_customer ON session (customer);

-- Another name that the platform uses for a session of ours.
CREATE TABLE session_alias (
    alias TEXT NOT NULL CONSTRAINT session_alias_pk PRIMARY KEY,
    session TEXT NOT NULL CONSTRAINT session_alias_session REFERENCES session (id)
) STRICT;

CREATE TABLE claim (
    id TEXT NOT NULL CONSTRAINT claim_pk PRIMARY KEY,
    session TEXT NOT NULL CONSTRAINT claim_session REFERENCES session (id),
    state TEXT NOT NULL CONSTRAINT claim_state CHECK (state IN
        ('open', 'disputed', 'conceded', 'granted', 'rejected', 'denied', 'withdrawn', 'accepted')),
    amount_minor INTEGER NOT NULL,
    hold_minor INTEGER NOT NULL,
    claimed_at TEXT NOT NULL,
    period TEXT NOT NULL,
    late INTEGER NOT NULL,
    disputed_at TEXT,
    decided_at TEXT,
    cost_minor INTEGER NOT NULL
) STRICT;
CREATE INDEX claim_by_session ON claim (session);
CREATE INDEX claim_by_period ON claim (period);

CREATE TABLE dispute (
    seq INTEGER NOT NULL CONSTRAINT dispute_pk PRIMARY KEY
        CONSTRAINT dispute_event REFERENCES event (seq),
    claim TEXT NOT NULL CONSTRAINT dispute_claim REFERENCES claim (id),
    filed_at TEXT NOT NULL,
    period TEXT NOT NULL
) STRICT;
CREATE INDEX dispute_by_period ON dispute (period);

CREATE TABLE adjustment (
    id TEXT NOT NULL CONSTRAINT adjustment_pk PRIMARY KEY,
    amount_minor INTEGER NOT NULL,
    time TEXT NOT NULL,
    seq INTEGER NOT NULL CONSTRAINT adjustment_event REFERENCES event (seq)
) STRICT;

CREATE TABLE artifact (
    seq INTEGER NOT NULL CONSTRAINT artifact_pk PRIMARY KEY
        CONSTRAINT artifact_event REFERENCES event (seq),
    session TEXT NOT NULL CONSTRAINT artifact_session REFERENCES session (id),
    kind TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    media_type TEXT
) STRICT;
CREATE INDEX artifact_by_session ON artifact (session);

CREATE TABLE review (
    session TEXT NOT NULL CONSTRAINT review_session REFERENCES session (id),
    by TEXT NOT NULL,
    rating INTEGER NOT NULL,
    time TEXT NOT NULL,
    seq INTEGER NOT NULL CONSTRAINT review_event REFERENCES event (seq),
    CONSTRAINT review_pk PRIMARY KEY (session, by)
) STRICT, WITHOUT ROWID;

-- What payouts pay: each transaction that changed what was earned, and how much of it is settled.
CREATE TABLE item (
    "transaction" INTEGER NOT NULL CONSTRAINT item_pk PRIMARY KEY
        CONSTRAINT item_transaction REFERENCES "transaction" (id),
    time TEXT NOT NULL,
    period TEXT NOT NULL,
    face_minor INTEGER NOT NULL,
    settled_minor INTEGER NOT NULL,
    session TEXT
) STRICT;
CREATE INDEX item_open ON item (time, "transaction") WHERE settled_minor <> face_minor;

CREATE TABLE payout (
    id TEXT NOT NULL CONSTRAINT payout_pk PRIMARY KEY,
    amount_minor INTEGER NOT NULL,
    method TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT payout_state
        CHECK (state IN ('sent', 'paid', 'failed', 'returned', 'reversed')),
    sent_at TEXT NOT NULL,
    reference TEXT,
    flags TEXT NOT NULL
) STRICT;

CREATE TABLE payout_line (
    payout TEXT NOT NULL CONSTRAINT payout_line_payout REFERENCES payout (id),
    item INTEGER NOT NULL CONSTRAINT payout_line_item REFERENCES item ("transaction"),
    amount_minor INTEGER NOT NULL,
    CONSTRAINT payout_line_pk PRIMARY KEY (payout, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE preferences (
    seq INTEGER NOT NULL CONSTRAINT preferences_pk PRIMARY KEY
        CONSTRAINT preferences_event REFERENCES event (seq),
    document TEXT NOT NULL
) STRICT;

CREATE TABLE profile_field (
    name TEXT NOT NULL CONSTRAINT profile_field_pk PRIMARY KEY
) STRICT;

-- Append-only is enforced here too: history is never changed, and an existing key is refused even
-- to INSERT OR REPLACE, which would otherwise delete without a delete trigger.
CREATE TRIGGER event_never_changes BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER event_never_goes BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER event_only_once BEFORE INSERT ON event
WHEN EXISTS (SELECT 1 FROM event WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER event_personal_never_changes BEFORE UPDATE ON event_personal
BEGIN SELECT RAISE(ABORT, 'personal data is written once, and only ever erased'); END;
CREATE TRIGGER event_personal_only_once BEFORE INSERT ON event_personal
WHEN EXISTS (SELECT 1 FROM event_personal WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'personal data is written once, and only ever erased'); END;
CREATE TRIGGER transaction_never_changes BEFORE UPDATE ON "transaction"
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;
CREATE TRIGGER transaction_never_goes BEFORE DELETE ON "transaction"
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;
CREATE TRIGGER transaction_only_once BEFORE INSERT ON "transaction"
WHEN EXISTS (SELECT 1 FROM "transaction" WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;
CREATE TRIGGER transfer_never_changes BEFORE UPDATE ON transfer
BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
CREATE TRIGGER transfer_never_goes BEFORE DELETE ON transfer
BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
CREATE TRIGGER transfer_only_once BEFORE INSERT ON transfer
WHEN EXISTS (
    SELECT 1 FROM transfer WHERE "transaction" = NEW."transaction" AND n = NEW.n
)
BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
