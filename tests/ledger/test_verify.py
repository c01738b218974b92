"""`verify` finds every kind of tampering, and names the first bad record in plain words."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.calculations.months import MonthRow
from liveportal.domain.errors import HeadNotFound, LiveportalError, NotALedger, VerificationFailed
from liveportal.domain.frozen import replace
from liveportal.domain.policy import Policy
from liveportal.feeds import transcripts
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format import hash_chain
from liveportal.ledger.format.journal_entries import JournalEntry, iter_journal
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries import earnings, ledger_info
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.storage.connection import open_file
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.storage.schema.migrate import make_tables
from liveportal.ledger.storage.scratch import scratch_database
from liveportal.ledger.verify.projections import COMPARED, DERIVED
from liveportal.ledger.verify.sums import BookedSums
from liveportal.ledger.verify.verify import Verified, verify
from liveportal.portal import Portal
from tests.kit import rich_ledger as rich
from tests.kit.old_ledgers import asked

pytestmark = pytest.mark.damages

PREFIX = "The ledger is not as it was written: "


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a ledger with something in every table, once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVEPORTAL_KEYRING", "off")
        yield rich.make(tmp_path_factory.mktemp("rich"), rich.LATEST)


@pytest.fixture
def path(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the ledger, with its key and its vault."""
    monkeypatch.setenv("LIVEPORTAL_KEYRING", "off")
    copy = tmp_path / "books" / "ledger.db"
    shutil.copytree(pristine.parent, copy.parent)
    return copy


def tampered(path: Path, *statements: str | tuple[str, tuple[object, ...]]) -> None:
    """Change a ledger in ways that its triggers forbid: drop them, and create them again."""
    with closing(Connection(str(path), isolation_level=None)) as db:
        triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        kept = triggers.fetchall()
        for name, _ in kept:
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(*((statement,) if isinstance(statement, str) else statement))
        for _, sql in kept:
            db.execute(sql)


def verified(
    path: Path, *, deep: bool = False, quick: bool = False, heads: tuple[str, ...] = ()
) -> Verified:
    """Verify a ledger file with its vault."""
    with closing(open_file(path, readonly=True)) as db:
        return verify(db, vault=path, deep=deep, quick=quick, read=transcripts.read, heads=heads)


def found(path: Path, *, deep: bool = False, quick: bool = False) -> str:
    """Return the problem that `verify` reports, in the format of the contract."""
    with pytest.raises(VerificationFailed) as caught:
        verified(path, deep=deep, quick=quick)
    assert caught.value.message.startswith(PREFIX)
    assert caught.value.code == "verification_failed"
    assert caught.value.hint
    return caught.value.message.removeprefix(PREFIX).removesuffix(".")


# --- nothing is wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("deep", [False, True])
def test_what_was_written_verifies(path: Path, deep: bool) -> None:
    """The report has the counts of what was checked, for each compared table."""
    for table in DERIVED:
        assert asked(path, f'SELECT 1 FROM "{table}" LIMIT 1'), f"nothing to compare in {table}"  # noqa: S608
    verified_ledger = verified(path, deep=deep)
    with open_readonly(path) as reader:
        assert (verified_ledger.head, verified_ledger.events) == (
            ledger_info.info(reader).head,
            ledger_info.info(reader).events,
        )
    assert verified_ledger.rules_changed == ()
    assert verified_ledger.deposit is not None
    assert (verified_ledger.deposit.files, verified_ledger.deposit.hashed) == (2, deep)
    assert (verified_ledger.deposit.messages, verified_ledger.deposit.values) == (
        (3, 5) if deep else (0, None)
    )


def test_a_connection_is_enough(path: Path) -> None:
    """The vault is checked only if its path is given."""
    shutil.rmtree(Vault(path).folder)
    with closing(open_file(path, readonly=True)) as db:
        assert verify(db).deposit is None


def test_it_changes_nothing(path: Path) -> None:
    """Not one byte of the file, for any of the checks."""
    before = path.read_bytes()
    verified(path, deep=True)
    assert path.read_bytes() == before


def test_progress_is_reported_for_every_event(path: Path) -> None:
    """All of them, however many at a time."""
    seen: list[int] = []
    with closing(open_file(path, readonly=True)) as db:
        verified_ledger = verify(db, progress=seen.append)
    assert sum(seen) == verified_ledger.events


def test_who_adds_their_own_changes_nothing(path: Path) -> None:
    """A table, view and index of the user's own, and SQLite's statistics, are no problem."""
    tampered(
        path,
        "CREATE TABLE mine (x REFERENCES mine (x))",
        "INSERT INTO mine VALUES (1)",
        "CREATE VIEW of_mine AS SELECT * FROM event",
        "CREATE INDEX mine_too ON session (rate)",
        "CREATE TRIGGER my_own AFTER INSERT ON mine BEGIN SELECT 1; END",
        "ANALYZE",
    )
    verified(path, deep=True)


# --- a record of the journal, or of the books -----------------------------------------------------

JOURNAL = {
    "UPDATE event SET facts = replace(facts, 'S-1', 'S-2') WHERE seq = 6": "event 6 was changed",
    "UPDATE event SET time = '2026-10-02T09:00:01.000000Z' WHERE seq = 2": "event 2 was changed",
    "UPDATE event SET type = 'liveportal.session.paused' WHERE seq = 5": "event 5 was changed",
    "UPDATE event SET id = 'other' WHERE seq = 3": "event 3 was changed",
    "UPDATE event SET source = 'urn:other' WHERE seq = 3": "event 3 was changed",
    "UPDATE event SET recorded_at = '2000-01-01T00:00:00.000000Z' WHERE seq = 9": (
        "event 9 was changed"
    ),
    "UPDATE event SET hash = zeroblob(32) WHERE seq = 4": "event 4 was changed",
    "UPDATE event SET prev_hash = zeroblob(32) WHERE seq = 4": (
        "event 4 does not follow the one before it"
    ),
    "UPDATE event SET personal_digest = x'' WHERE seq = 2": (
        "the personal data of event 2 was changed"
    ),
    "UPDATE event SET effects_digest = x'00' WHERE seq = 6": (
        "the transactions of event 6 were changed"
    ),
    "UPDATE event_personal SET body = replace(body, 'Help', 'Halp') WHERE seq = 2": (
        "the personal data of event 2 was changed"
    ),
    "UPDATE event_personal SET salt = zeroblob(16) WHERE seq = 2": (
        "the personal data of event 2 was changed"
    ),
    "DELETE FROM event_personal WHERE seq = 2": (
        "the personal data of event 2 is missing, but no customer was forgotten"
    ),
    "INSERT INTO event_personal VALUES (3, x'00', '{}')": (
        "the personal data of event 3 was changed"
    ),
    "INSERT INTO event_personal VALUES (999, x'00', '{}')": (
        "event_personal 999 refers to a missing row of event"
    ),
    'UPDATE transfer SET amount = amount + 1 WHERE "transaction" = 1 AND n = 1': (
        "the transactions of event 6 were changed"
    ),
    "UPDATE transfer SET credit = 'assets:bank' WHERE \"transaction\" = 1 AND n = 1": (
        "the transactions of event 6 were changed"
    ),
    'DELETE FROM transfer WHERE "transaction" = 1 AND n = 2': (
        "the transactions of event 6 were changed"
    ),
    "INSERT INTO transfer VALUES (1, 3, 'assets:bank', 'income:tips', 5, '2026-10')": (
        "the transactions of event 6 were changed"
    ),
    "INSERT INTO transfer VALUES (999, 1, 'assets:bank', 'income:tips', 5, '2026-10')": (
        "a row of transfer refers to a missing row of transaction"
    ),
    "UPDATE \"transaction\" SET kind = 'tip' WHERE id = 1": (
        "the transactions of event 6 were changed"
    ),
    "UPDATE \"transaction\" SET period = '2026-09' WHERE id = 1": (
        "the transactions of event 6 were changed"
    ),
    "UPDATE \"transaction\" SET session = 'S-2' WHERE id = 1": (
        "the transactions of event 6 were changed"
    ),
    'UPDATE "transaction" SET seq = 5 WHERE id = 1': "the transactions of event 5 were changed",
    'INSERT INTO "transaction" (id, seq, kind, time, period) VALUES'
    " (999, 5, 'tip', '2026-10-02T09:00:00.000000Z', '2026-10')": (
        "the transactions of event 5 were changed"
    ),
    'INSERT INTO "transaction" (id, seq, kind, time, period) VALUES'
    " (999, 999, 'tip', '2026-10-02T09:00:00.000000Z', '2026-10')": (
        "transaction 999 refers to a missing row of event"
    ),
}


@pytest.mark.parametrize("statement", JOURNAL)
def test_the_journal_and_the_books(path: Path, statement: str) -> None:
    """A changed, added or removed record of history is named, by a quick verification too."""
    tampered(path, statement)
    assert found(path) == found(path, quick=True) == JOURNAL[statement]


def test_an_event_that_is_gone(path: Path) -> None:
    """One from the middle, with all references, leaves a gap; the last one, a wrong head."""
    head = verified(path).head
    last = asked(path, "SELECT max(seq) FROM event")[0][0]
    for table in ("statement", "event_personal", "profile_fact"):
        tampered(path, f"DELETE FROM {table} WHERE seq = {last}")  # noqa: S608
    # The e-mail address that it set takes the place of the one that the event before it set.
    tampered(path, f"UPDATE sealed_value SET seq = {last - 1} WHERE seq = {last}")  # noqa: S608
    tampered(path, f"DELETE FROM event WHERE seq = {last}")  # noqa: S608
    tampered(path, "DELETE FROM profile_field WHERE name = 'method'")
    with pytest.raises(HeadNotFound):
        verified(path, heads=(head,))
    tampered(path, "DELETE FROM statement WHERE seq = 4", "DELETE FROM event WHERE seq = 4")
    assert found(path) == "event 4 is missing"


def test_events_that_changed_places(path: Path) -> None:
    """Their order is under the chain."""
    tampered(
        path,
        "UPDATE event SET seq = 1000 WHERE seq = 4",
        "UPDATE event SET seq = 4 WHERE seq = 5",
        "UPDATE event SET seq = 5 WHERE seq = 1000",
    )
    assert found(path) == "event 4 does not follow the one before it"


# --- derived tables -------------------------------------------------------------------------------

CHANGED = {
    "UPDATE statement SET confirms = NULL WHERE confirms IS NOT NULL": (
        "statement payout:paypal-8XK41 payout.sent 63 differs from the journal in confirms"
    ),
    "DELETE FROM statement WHERE seq = 4": "statement session:S-1 session.paused 4 is missing",
    "INSERT INTO statement VALUES ('session:S-1', 'x', 4, 'y', NULL)": (
        "statement session:S-1 x 4 comes from no event"
    ),
    "DELETE FROM reversal": "reversal {reversal} is missing",
    "UPDATE policy SET name = 'other'": "policy 1 differs from the journal in name",
    "UPDATE policy SET document = replace(document, '30', '20')": (
        "policy 1 differs from the journal in document"
    ),
    "UPDATE customer SET described_seq = 2 WHERE id = 'C-12'": (
        "customer C-12 differs from the journal in described_seq"
    ),
    "INSERT INTO customer VALUES ('C-0', 2)": "customer C-0 comes from no event",
    "UPDATE request SET rate = 1 WHERE id = 'REQ-1'": (
        "request REQ-1 differs from the journal in rate"
    ),
    "UPDATE request SET state = 'open', closed_at = NULL WHERE id = 'REQ-1'": (
        "request REQ-1 differs from the journal in state and closed_at"
    ),
    "DELETE FROM request WHERE id = 'REQ-8'": "request REQ-8 is missing",
    "UPDATE session SET gross_minor = 1 WHERE id = 'S-1'": (
        "session S-1 differs from the journal in gross_minor"
    ),
    "UPDATE session SET period = '2026-11' WHERE id = 'S-3'": (
        "session S-3 differs from the journal in period"
    ),
    "DELETE FROM session WHERE id = 'S-3'": (
        "a row of session_count refers to a missing row of session"
    ),
    "DELETE FROM session WHERE id = 'S-7'": "session S-7 is missing",
    "DELETE FROM session_alias": "session_alias other:2 is missing",
    "UPDATE session_alias SET session = 'S-1'": (
        "session_alias other:2 differs from the journal in session"
    ),
    "DELETE FROM payout_alias": "payout_alias PO-9 is missing",
    "UPDATE payout_alias SET payout = 'PO-1'": (
        "payout_alias PO-9 differs from the journal in payout"
    ),
    "UPDATE payout SET fee_minor = 24 WHERE id = 'paypal-8XK41'": (
        "payout paypal-8XK41 differs from the journal in fee_minor"
    ),
    "UPDATE payout SET evidence = NULL": (
        "payout paypal-8XK41 differs from the journal in evidence"
    ),
    "UPDATE claim SET state = 'open' WHERE id = 'CL-1'": (
        "claim CL-1 differs from the journal in state"
    ),
    "UPDATE claim SET hold_minor = 0 WHERE id = 'CL-4'": (
        "claim CL-4 differs from the journal in hold_minor"
    ),
    "INSERT INTO claim SELECT 'CL-9', session, state, amount_minor, hold_minor, claimed_at, period,"
    " late, disputed_at, decided_at, cost_minor FROM claim WHERE id = 'CL-1'": (
        "claim CL-9 comes from no event"
    ),
    "UPDATE dispute SET filed_at = '2026-10-02T11:59:00.000000Z' WHERE claim = 'CL-1'": (
        "dispute {dispute} differs from the journal in filed_at"
    ),
    "UPDATE adjustment SET amount_minor = 1 WHERE id = 'ADJ-1'": (
        "adjustment ADJ-1 differs from the journal in amount_minor"
    ),
    "UPDATE artifact SET bytes = 1 WHERE kind = 'recording'": (
        "artifact {artifact} differs from the journal in bytes"
    ),
    "UPDATE review SET rating = 5": "review S-1 customer differs from the journal in rating",
    "DELETE FROM review WHERE by = 'expert'": "review S-1 expert is missing",
    'UPDATE item SET settled_minor = 0 WHERE "transaction" = 1': (
        "item 1 differs from the journal in settled_minor"
    ),
    "UPDATE item SET session = 'S-2' WHERE \"transaction\" = 1": (
        "item 1 differs from the journal in session"
    ),
    "UPDATE payout SET state = 'paid' WHERE id = 'PO-2'": (
        "payout PO-2 differs from the journal in state"
    ),
    "UPDATE payout_line SET amount_minor = 1 WHERE payout = 'PO-1' AND item = 1": (
        "payout_line PO-1 1 differs from the journal in amount_minor"
    ),
    "DELETE FROM payout_line WHERE payout = 'PO-1' AND item = 1": "payout_line PO-1 1 is missing",
    "UPDATE preferences SET document = '{}'": (
        "preferences {preferences} differs from the journal in document"
    ),
    "DELETE FROM preferences": "preferences {preferences} is missing",
    "UPDATE session_count SET billed_us = billed_us + 1 WHERE seq = 6": (
        "the transactions of event 6 were changed"
    ),
    "UPDATE session_count SET period = '2026-11' WHERE seq = 6": (
        "the transactions of event 6 were changed"
    ),
    "DELETE FROM session_count WHERE seq = 6": "the transactions of event 6 were changed",
    'INSERT INTO session_count SELECT 3, 1, session, kind, time, period, start, "end",'
    ' billed_us, sessions, free_sessions, "transaction" FROM session_count WHERE seq = 6': (
        "the minutes or the number of sessions of event 3 were changed"
    ),
    "UPDATE session_count SET seq = 999 WHERE seq = 6": (
        "a row of session_count refers to a missing row of event"
    ),
    "INSERT INTO profile_field VALUES ('iban')": "profile_field iban comes from no event",
    "DELETE FROM profile_field WHERE name = 'name'": "profile_field name is missing",
    "UPDATE month_flow SET amount = amount + 1 WHERE credit = 'income:tips' AND"
    " period = '2026-10'": (
        "the sums of 2026-10 from income:tips to assets:platform differ from the transfers"
    ),
    "UPDATE month_flow SET count = count + 1 WHERE credit = 'income:tips' AND period = '2026-10'": (
        "the sums of 2026-10 from income:tips to assets:platform differ from the transfers"
    ),
    "DELETE FROM month_flow WHERE credit = 'income:tips' AND period = '2026-10'": (
        "the sums of 2026-10 from income:tips to assets:platform differ from the transfers"
    ),
    "INSERT INTO month_flow VALUES ('2026-01', 'assets:bank', 'income:tips', 1, 1)": (
        "the sums of 2026-01 from income:tips to assets:bank differ from the transfers"
    ),
    "UPDATE sealed_value SET seq = 2": (
        "the value of address in the payout profile comes from no event"
    ),
    "UPDATE profile_fact SET field = 'iban' WHERE field = 'country'": (
        "the value of iban in the payout profile comes from no event"
    ),
    "DELETE FROM sealed_value WHERE field = 'name'": (
        "the value of name in the payout profile is missing"
    ),
    "DELETE FROM sealed_value": "the value of name in the payout profile is missing",
    "DELETE FROM profile_fact WHERE field = 'country'": (
        "the value of country in the payout profile is missing"
    ),
    # The value of before takes the place of the one that was set last.
    "UPDATE sealed_value SET seq = seq - 1 WHERE field = 'email'": (
        "the value of email in the payout profile comes from no event"
    ),
    "INSERT INTO profile_fact SELECT field, seq, 'Anna' FROM sealed_value WHERE field = 'name'": (
        "the value of name in the payout profile is in the wrong place"
    ),
    "DELETE FROM fingerprint_key": "the key of the payout profile's fingerprints is missing",
    "UPDATE fingerprint_key SET key_id = 'another'": (
        "the key of the payout profile's fingerprints is missing"
    ),
    "INSERT INTO missing_value SELECT field, seq FROM sealed_value WHERE field = 'name'": (
        "the value of name in the payout profile is recorded as missing, but is present"
    ),
    "INSERT INTO missing_value VALUES ('iban', 4)": (
        "the value of iban in the payout profile is recorded as missing, but is present"
    ),
    "INSERT INTO missing_file SELECT min(seq) FROM artifact": (
        "the file of event {artifact} is recorded as missing, but the event has no file"
    ),
}
FIRST = {
    "reversal": "SELECT min(seq) FROM reversal",
    "dispute": "SELECT min(seq) FROM dispute",
    "artifact": "SELECT min(seq) FROM artifact",
    "preferences": "SELECT min(seq) FROM preferences",
}


@pytest.mark.parametrize("statement", CHANGED)
def test_what_is_derived(path: Path, statement: str) -> None:
    """A changed, added or removed row of each derived table is named, with its columns."""
    names = {name: asked(path, query)[0][0] for name, query in FIRST.items()}
    tampered(path, statement)
    assert found(path) == CHANGED[statement].format(**names)


def test_what_quick_finds(path: Path) -> None:
    """Sums, references and files, but not what the rules derive; its result is else the same."""
    whole, quick = verified(path), verified(path, quick=True)
    assert quick.rules_changed is None
    assert quick == replace(whole, rules_changed=None)
    tampered(path, "UPDATE session SET state = 'live' WHERE id = 'S-1'")
    assert verified(path, quick=True).head == whole.head
    assert found(path) == "session S-1 differs from the journal in state"
    tampered(path, "UPDATE session SET policy = 999 WHERE id = 'S-2'")
    assert found(path, quick=True) == "session S-2 refers to a missing row of policy"


@pytest.mark.parametrize("statement", [text for text in CHANGED if "month_flow" in text])
def test_quick_adds_up_the_flows(path: Path, statement: str) -> None:
    """The sums of a month are those of its transfers."""
    tampered(path, statement)
    assert found(path, quick=True) == found(path) == CHANGED[statement]


def test_an_account_that_no_book_has() -> None:
    """A history that was rewritten with all its hashes may name one."""
    transaction = (1, 1, "tip", "2026-10-01T09:00:00.000000Z", "2026-10", None, None, None, None)
    transfer = (1, 1, "assets:moon", "income:tips", 500, "2026-10")
    sums = BookedSums()
    hashes = (b"",) * 4
    event = JournalEntry(
        *(1, "s", "id", "t", "", "", "{}"), *hashes, None, None, [transaction], [transfer], []
    )
    assert list(sums.adding([event])) == [event]
    with pytest.raises(VerificationFailed, match="assets:moon"):
        sums.totals()


def test_every_table_is_tampered_with() -> None:
    """No derived table is forgotten above."""
    touched = {
        change.split()[2 if "INTO" in change or "FROM" in change.split()[1] else 1]
        for change in CHANGED
    }
    booked = {"transaction", "transfer"}
    beside = {"sealed_value", "profile_fact", "fingerprint_key", "missing_value", "missing_file"}
    assert set(DERIVED) - booked | beside <= touched
    assert booked <= {name.strip('"') for mode in JOURNAL for name in mode.split()[1:3]}


def test_tables_are_compared_as_they_are_stored(path: Path) -> None:
    """Nothing is sorted or collected, so that memory use does not grow with the ledger."""
    ran: list[str] = []
    with closing(open_file(path, readonly=True)) as db:
        db.set_trace_callback(ran.append)
        verify(db)
        db.set_trace_callback(None)
        compared = [sql for sql in ran if " EXCEPT " in sql]
        assert len(compared) == 2 * len(COMPARED)
        with scratch_database(db) as (copy, _):
            make_tables(copy)
            copy.execute("COMMIT")
            for sql in compared:
                plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
                assert plan[0] == "MERGE (EXCEPT)"
                assert not [step for step in plan if "TEMP B-TREE" in step], sql


# --- the schema -----------------------------------------------------------------------------------

FORM = {
    "DROP TRIGGER event_never_changes": "the trigger event_never_changes is missing",
    "DROP INDEX session_by_end": "the index session_by_end is missing",
    "DROP VIEW month_money": "the view month_money is missing",
    "DROP TABLE fingerprint_key": "the table fingerprint_key is missing",
    "ALTER TABLE payout ADD COLUMN more TEXT": "the table payout was changed",
    "CREATE TRIGGER mine AFTER INSERT ON transfer BEGIN SELECT 1; END": (
        "the trigger mine on transfer is foreign"
    ),
    "CREATE TRIGGER mine INSTEAD OF INSERT ON posting BEGIN SELECT 1; END": (
        "the trigger mine on posting is foreign"
    ),
}


@pytest.mark.parametrize("statement", FORM)
def test_the_schema(path: Path, statement: str) -> None:
    """A schema object that is missing, different, or added where it could have an effect."""
    asked(path, statement)
    assert found(path) == FORM[statement]


@pytest.mark.parametrize(
    ("name", "change", "kind"),
    [
        ("month_money", ("income:sessions", "income:tips"), "view"),
        ("transfer_never_goes", ("DELETE", "UPDATE"), "trigger"),
        ("item_open", ("<>", ">"), "index"),
    ],
)
def test_a_part_of_the_form_that_was_changed(
    path: Path, name: str, change: tuple[str, str], kind: str
) -> None:
    """A view that adds up something else, a trigger that guards nothing, another index."""
    (sql,) = asked(path, "SELECT sql FROM sqlite_schema WHERE name = ?", name)[0]
    asked(path, f"DROP {kind} {name}")
    asked(path, sql.replace(*change, 1))
    assert found(path) == f"the {kind} {name} was changed"


# --- the vault, the messages, the profile ---------------------------------------------------------


def _file(path: Path, kind: str) -> Path:
    (sha256,) = asked(path, "SELECT sha256 FROM artifact WHERE kind = ?", kind)[0]
    return Vault(path).path(sha256)


def test_a_file_that_is_gone(path: Path) -> None:
    """An attached file must be in the vault; one that only a feed reported never was."""
    file = _file(path, "code")
    file.unlink()
    assert found(path).startswith(f"the file {file.name[:12]}… of session S-1 (event ")
    assert found(path).endswith("is not in the vault")


def test_a_file_of_another_size(path: Path) -> None:
    """Longer or shorter: found without hashing."""
    file = _file(path, "code")
    file.chmod(0o600)
    file.write_bytes(file.read_bytes() + b"\n")
    size = len(rich.CODE)
    assert found(path).endswith(f"has {size + 1} bytes instead of {size}")


def test_a_file_that_was_changed(path: Path) -> None:
    """Of the same size it is found by its hash, with --deep."""
    file = _file(path, "code")
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().swapcase())
    verified(path)
    assert found(path, deep=True).endswith("differs from the file that was attached")


DEEP = {
    "UPDATE message SET text = 'Now it is broken' WHERE n = 3": "message 3 of the file ",
    "UPDATE message SET speaker = 'Anna' WHERE n = 3": "message 3 of the file ",
    "UPDATE message SET offset_ms = 0 WHERE n = 3": "the times of the messages of the file ",
    "UPDATE message SET offset_ms = NULL WHERE n = 3": "the times of the messages of the file ",
    "DELETE FROM message WHERE n = 3": "has 3 messages, but 2 are stored",
    "INSERT INTO message SELECT NULL, artifact, 4, 0, speaker, text FROM message LIMIT 1": (
        "has 3 messages, but 4 are stored"
    ),
    "UPDATE message SET artifact = (SELECT min(seq) FROM artifact)": "come from no transcript",
    "INSERT INTO message_index (message_index) VALUES ('delete-all')": "the full-text index",
    "UPDATE profile_fact SET value = 'DE' WHERE field = 'country'": (
        "the payout profile differs from what was recorded in country"
    ),
    "UPDATE sealed_value SET body = zeroblob(length(body)) WHERE field = 'name'": (
        "the payout profile was changed: "
    ),
}


@pytest.mark.parametrize("statement", DEEP)
def test_what_only_deep_finds(path: Path, statement: str) -> None:
    """Messages against transcripts, sealed values against their fingerprints."""
    tampered(path, statement)
    verified(path)
    assert DEEP[statement] in found(path, deep=True)


def test_a_schema_that_cannot_be_decoded(path: Path) -> None:
    """SQLite quotes the invalid text, which the driver cannot decode: it is damaged."""
    asked(path, "PRAGMA journal_mode = DELETE")
    content = bytearray(path.read_bytes())
    content[content.index(b"CREATE TABLE session") + len("CREATE TAB")] = 0xBA
    path.write_bytes(content)
    with pytest.raises(NotALedger, match="damaged"):
        open_file(path, readonly=True)


def test_an_index_that_finds_other_words(path: Path) -> None:
    """A search would miss messages."""
    asked(
        path,
        "INSERT INTO message_index (message_index, rowid, text)"
        " SELECT 'delete', id, lower(text) FROM message WHERE n = 1",
    )
    asked(path, "INSERT INTO message_index (rowid, text) VALUES (1, 'other words')")
    assert "the full-text index" in found(path, deep=True)


def test_an_index_that_was_never_written(tmp_path: Path) -> None:
    """Without a transcript it is empty, and has not the bytes of one that was rebuilt."""
    ledger = tmp_path / "new.db"
    Portal.create(ledger, Policy())
    assert asked(ledger, "SELECT block FROM message_index_data WHERE id = 1") == [(b"",)]
    verified_ledger = verified(ledger, deep=True)
    assert verified_ledger.deposit is not None
    assert verified_ledger.deposit.messages == 0


def test_settings_of_an_index(path: Path) -> None:
    """The layout of an index does not matter: no search result depends on it."""
    for setting in ("'automerge', 8", "'optimize', NULL"):
        asked(path, f"INSERT INTO message_index (message_index, rank) VALUES ({setting})")  # noqa: S608
        verified(path, deep=True)


def test_a_profile_whose_key_is_elsewhere(path: Path) -> None:
    """Without the key the profile is not verified, and that is reported."""
    path.with_name("ledger.db.key").unlink()
    verified_ledger = verified(path, deep=True)
    assert verified_ledger.deposit is not None
    assert verified_ledger.deposit.values is None


# --- rewritten history ----------------------------------------------------------------------------


def _rewritten(path: Path, change: Callable[[list[Any]], None], first: int) -> None:
    """Rewrite history as a forger with the source code would: all later hashes recalculated."""
    with closing(open_file(path, readonly=True)) as db:
        events = list(iter_journal(db))
    head, statements = hash_chain.GENESIS, []
    for event in events:
        row: list[Any] = list(event[:11])
        if event.seq == first:
            change(row)
        prev, head = head, hash_chain.event_hash(head, map(str, row[:6]), row[6], row[7], row[8])
        statements.append(
            (
                "UPDATE event SET facts = ?, prev_hash = ?, hash = ? WHERE seq = ?",
                (row[6], prev, head, row[0]),
            )
        )
    tampered(path, *statements)


def _dearer(row: list[Any]) -> None:
    row[6] = str(row[6]).replace('"3.00"', '"4.00"')


def test_a_rewritten_history_has_another_head(path: Path) -> None:
    """Even with all hashes recalculated, the noted head is no longer there."""
    before = verified(path)
    _rewritten(path, lambda _: None, 2)
    assert verified(path, heads=(before.head,)).heads[0].event == before.events
    _rewritten(path, _dearer, 2)
    with pytest.raises(LiveportalError) as caught:
        verified(path, heads=(before.head,))
    # A changed agreed rate also changes the derived rows.
    assert caught.value.code in {"head_not_found", "verification_failed"}


def test_rewritten_facts_without_effect(path: Path) -> None:
    """A fact that no rule reads is covered only by the head."""
    (seq,) = asked(path, "SELECT seq FROM event WHERE type = 'liveportal.payout.paid'")[0]

    def claimed(row: list[Any]) -> None:
        row[6] = str(row[6]).replace("}", ',"reason":"by hand"}')

    noted = verified(path).head
    _rewritten(path, claimed, seq)
    assert verified(path).head != noted
    with pytest.raises(HeadNotFound) as caught:
        verified(path, heads=(noted,))
    assert caught.value.code == "head_not_found"
    assert noted in caught.value.message


@pytest.mark.parametrize("length", [16, 17, 40, 64])
def test_a_head_is_reported_with_its_event(path: Path, length: int) -> None:
    """The journal's whole past is known by it: which event it stood at, and since when."""
    row = asked(path, "SELECT seq, lower(hex(hash)), recorded_at FROM event WHERE seq = 20")[0]
    (head,) = verified(path, heads=(row[1][:length].upper(),)).heads
    assert (head.event, head.head, head.recorded_at) == row


def test_facts_that_are_none(path: Path) -> None:
    """A forger's document that no event has is named, not stumbled over."""
    for facts in ("[]", "null", "{", '{"session":7}'):

        def broken(row: list[Any], facts: str = facts) -> None:
            row[6] = facts

        _rewritten(path, broken, 4)
        assert found(path).startswith("Event 4 cannot be read: ")


# --- the views ------------------------------------------------------------------------------------


def test_the_views_and_the_fold_are_compared(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query that adds up differently from plain Python is reported, with month and figure."""
    real = earnings.months

    def wrong(reader: Reader) -> list[MonthRow]:
        return [replace(month, tips=month.gross) for month in real(reader)]

    monkeypatch.setattr(earnings, "months", wrong)
    assert found(path) == "the views of 2026-10 differ from its transactions in tips"

    def one_more(reader: Reader) -> list[MonthRow]:
        *earlier, last = real(reader)
        return [*earlier, last, replace(last, month="2030-01")]

    monkeypatch.setattr(earnings, "months", one_more)
    assert found(path) == "the views show 2030-01, a month in which nothing happened"
