"""Every event is recorded once: replays, conflicts, the clock, the chain, append-only."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.errors import Conflict, WrongState
from liveportal.domain.events.envelope import CLI_SOURCE
from liveportal.domain.events.types import RequestAccepted, SessionPaused, TipReceived
from liveportal.ledger.storage.driver import Connection, DatabaseError
from liveportal.portal import Portal
from tests.kit.books import Book, Clock
from tests.kit.events import OTHER, amount, at, event, policy, usd
from tests.kit.ledger_files import contents, query


def opened(**data: object) -> dict[str, Any]:
    """Return the data of an instant request."""
    return {
        "request": "R-1",
        "kind": "instant",
        "customer": {"id": "C-1", "name": "Mina"},
        "title": "help",
        "rate": amount("3.00"),
        **data,
    }


# --- replays and conflicts ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"rate": amount("3.0")},
        {"rate": {"currency": "USD", "amount": "3"}},
        {"customer": {"name": "Mina", "id": "C-1"}},
    ],
)
def test_a_replay_changes_nothing(books: Book, again: dict[str, object]) -> None:
    """Source and id seen before with the same content: skipped, however it is spelled."""
    first = books.record("request.opened", "10-05 08:00", id="e-1", **opened())
    before = books.dump()
    outcome = books.record("request.opened", "10-05 08:00", id="e-1", **opened(**again))
    assert (outcome.status, outcome.seq) == ("replayed", first.seq)
    assert books.dump() == before


def test_the_spelling_of_an_offset_does_not_count(books: Book) -> None:
    """09:00Z and 11:00+02:00 are the same instant, as the time of an event and in its data."""
    events = [("2026-10-05T09:00:00Z", "Z"), ("2026-10-05T11:00:00+02:00", "+00:00")]
    statuses = [
        books.record(
            "request.opened", when, id="e-1", **opened(expires=f"2026-10-05T10:00:00{offset}")
        ).status
        for when, offset in events
    ]
    assert statuses == ["recorded", "replayed"]


def test_a_policy_is_what_it_means(books: Book) -> None:
    """In a policy too "100.0" equals "100.00": the repeated event is a replay."""
    original = policy(payout={"minimum": "100.00"}, fee={"percent": "30"}).document
    again = policy(payout={"minimum": "100.0"}, fee={"percent": "30.0"}).document
    books.record("policy.adopted", "10-05 08:00", id="e-1", policy=original)
    assert (
        books.record("policy.adopted", "10-05 08:00", id="e-1", policy=again).status == "replayed"
    )


def test_the_same_id_of_another_source_is_another_event(books: Book) -> None:
    """An event is named by its source and its id together."""
    books.open("R-1", id="e-1")
    assert books.open("R-2", id="e-1", source=OTHER).status == "recorded"


@pytest.mark.parametrize(
    ("when", "data", "fields"),
    [
        ("10-05 08:00:00.000001", {}, ["time"]),
        ("10-05 08:00", {"title": "other"}, ["title"]),
        ("10-05 08:00", {"rate": amount("3.01")}, ["rate"]),
        ("10-05 08:00", {"direct": False}, ["direct"]),
        ("10-05 09:00", {"title": "x", "request": "R-2"}, ["time", "request", "title"]),
    ],
)
def test_other_content_under_an_old_id_is_a_conflict(
    books: Book, when: str, data: dict[str, object], fields: list[str]
) -> None:
    """The error names every field that differs."""
    books.record("request.opened", "10-05 08:00", id="e-1", **opened())
    error = books.refuses("request.opened", when, id="e-1", **opened(**data))
    assert isinstance(error, Conflict)
    assert sorted(error.details["fields"]) == sorted(fields)  # type: ignore[call-overload]
    assert all(field in error.message for field in fields)


def test_another_type_under_an_old_id_is_a_conflict(books: Book) -> None:
    """The type is content."""
    books.open(id="e-1")
    error = books.refuses("request.declined", "10-05 08:00", id="e-1", request="R-1")
    assert isinstance(error, Conflict)
    assert "type" in error.fields


def test_a_replay_is_looked_up_before_any_rule(books: Book) -> None:
    """Otherwise a retried step would be refused because of the new state."""
    books.live()
    books.record("session.ended", "10-05 09:20", id="e-1", session="S-1")
    assert (
        books.record("session.ended", "10-05 09:20", id="e-1", session="S-1").status == "replayed"
    )
    assert isinstance(books.refuses("session.ended", "10-05 09:20", session="S-1"), WrongState)


def test_a_refused_event_may_come_again(books: Book) -> None:
    """A refused event was not recorded: its id is still free."""
    books.refuses("session.ended", "10-05 09:20", id="e-1", session="S-1")
    books.live()
    assert (
        books.record("session.ended", "10-05 09:20", id="e-1", session="S-1").status == "recorded"
    )


def test_an_erased_event_is_compared_on_facts_only(books: Book) -> None:
    """A replay of an erased event compares facts, and restores nothing."""
    first = books.record("request.opened", "10-05 08:00", id="e-1", **opened())
    books.journal.flush()
    books.db.execute("DELETE FROM event_personal WHERE seq = ?", (first.seq,))
    books.record("request.opened", "10-05 08:00", id="e-1", **opened(title="guess"))
    assert books.rows("SELECT * FROM event_personal WHERE seq = ?", first.seq) == []
    error = books.refuses("request.opened", "10-05 08:00", id="e-1", **opened(rate=amount("1.00")))
    assert isinstance(error, Conflict)
    assert error.fields == ["rate"]


# --- commands: only given fields are compared -----------------------------------------------------


def test_a_command_repeated_an_hour_later_is_a_replay(ledger: Path, clock: Clock) -> None:
    """A default time and generated ids come from the first result."""
    with Portal(ledger, now=clock) as portal:
        clock.now = at("10-05 08:00")
        portal.record([event("request.opened", "10-05 08:00", **opened())], allow=True)
        first = portal.execute(
            RequestAccepted(request="R-1", session="S-made-up"), key="K", assumed=["session"]
        )
        clock.now = at("10-05 09:00")
        again = portal.execute(
            RequestAccepted(request="R-1", session="S-another"), key="K", assumed=["session"]
        )
        assert (again.status, again.seq) == ("replayed", first.seq)
        assert again.event == first.event
        assert again.event.time == at("10-05 08:00")
        assert again.event.data == RequestAccepted(request="R-1", session="S-made-up")


def test_a_command_with_another_given_time_is_a_conflict(ledger: Path, clock: Clock) -> None:
    """A time that was given is compared; a time that was left out is not."""
    with Portal(ledger, now=clock) as portal:
        portal.record([event("request.opened", "10-05 08:00", **opened())], allow=True)
        clock.now = at("10-05 08:02")
        portal.execute(RequestAccepted(request="R-1"), at=at("10-05 08:01"), key="K")
        with pytest.raises(Conflict) as caught:
            portal.execute(RequestAccepted(request="R-1"), at=at("10-05 08:02"), key="K")
        assert caught.value.fields == ["time"]
        assert portal.execute(RequestAccepted(request="R-1"), key="K").status == "replayed"


def test_a_key_reused_for_something_else_is_a_conflict(ledger: Path, clock: Clock) -> None:
    """One key is one command."""
    with Portal(ledger, now=clock) as portal:
        portal.record([event("request.opened", "10-05 08:00", **opened())], allow=True)
        portal.execute(RequestAccepted(request="R-1"), key="K")
        with pytest.raises(Conflict):
            portal.execute(SessionPaused(session="R-1"), key="K")


def test_ids_of_commands_are_fresh_and_sort_by_time(ledger: Path, clock: Clock) -> None:
    """Without a key an event gets a UUIDv7 under the source of the command line."""
    with Portal(ledger, now=clock) as portal:
        made = [portal.event(SessionPaused(session="S-1")) for _ in range(50)]
    assert {each.source for each in made} == {CLI_SOURCE}
    assert len({each.id for each in made}) == 50
    assert all(each.id[14] == "7" and each.id[19] in "89ab" for each in made)
    assert [each.id[:8] for each in made] == sorted(each.id[:8] for each in made)


# --- the clock ------------------------------------------------------------------------------------


def test_recorded_at_never_goes_back(books: Book) -> None:
    """recorded_at is the later of now and the last one."""
    for now in ("05-01 10:00", "04-01 10:00", "05-01 10:00:00.000001", "01-01 00:00"):
        books.clock.now = at(now)
        books.open(f"R-{now[:2]}{now[-3:].replace(':', '')}-{now[:5]}")
    times = [row["recorded_at"] for row in books.rows("SELECT recorded_at FROM event ORDER BY seq")]
    assert times[1:] == [
        "2026-05-01T10:00:00.000000Z",
        "2026-05-01T10:00:00.000000Z",
        "2026-05-01T10:00:00.000001Z",
        "2026-05-01T10:00:00.000001Z",
    ]


# --- the chain, recomputed from the contract ------------------------------------------------------


def stored(value: object) -> bytes:
    """Write JSON as the ledger stores it."""
    return json.dumps(value, separators=(",", ":")).encode()


def recomputed(db: Connection, *, erased: bool = False) -> list[tuple[bytes, bytes]]:
    """Return each event's stored hash, and the one that the contract's formula gives.

    An `erased` body cannot be hashed again: its stored digest is used.
    """
    hashes = []
    prev = b"\x00" * 32
    for seq, *fields, facts, personal, effects, prev_hash, digest in db.execute(
        "SELECT seq, source, id, type, time, recorded_at, facts, personal_digest, effects_digest,"
        " prev_hash, hash FROM event ORDER BY seq"
    ).fetchall():
        assert prev_hash == prev
        row = db.execute("SELECT salt, body FROM event_personal WHERE seq = ?", (seq,)).fetchone()
        if row or not erased:
            assert personal == (hashlib.sha256(row[0] + row[1].encode()).digest() if row else b"")
        entries = db.execute('SELECT * FROM "transaction" WHERE seq = ? ORDER BY id', (seq,))
        moved = db.execute(
            'SELECT transfer.* FROM transfer JOIN "transaction" AS entry'
            ' ON entry.id = transfer."transaction" WHERE seq = ? ORDER BY entry.id, n',
            (seq,),
        )
        counts = db.execute("SELECT * FROM session_count WHERE seq = ? ORDER BY n", (seq,))
        booked = [[list(row) for row in rows.fetchall()] for rows in (entries, moved, counts)]
        if not booked[2]:
            del booked[2]  # An event without counts is hashed as before counts existed.
        assert effects == hashlib.sha256(stored(booked)).digest()
        hashed = b"liveportal.journal.v1" + prev
        for field in (str(seq), *fields):
            hashed += len(field.encode()).to_bytes(8, "big") + field.encode()
        hashed += hashlib.sha256(facts.encode()).digest() + personal + effects
        hashes.append((digest, hashlib.sha256(hashed).digest()))
        prev = digest
    return hashes


def test_the_chain_is_the_contract_s(books: Book) -> None:
    """Facts, personal data, effects and order are under SHA-256, by the contract's formula."""
    books.live()
    books.record("session.ended", "10-05 09:20", session="S-1")
    books.claim()
    books.record("session.ended", "10-05 09:20", session="S-1", source=OTHER)
    books.record("refund.denied", "10-05 12:00", claim="CL-1", reason="no", source="http://zoë")
    books.journal.flush()
    chain = recomputed(books.db)
    assert len(chain) == 7
    assert all(digest == again for digest, again in chain)
    assert books.journal.log.head == chain[-1][0]


def test_personal_digests_are_salted(books: Book) -> None:
    """Two equal texts have two digests: nothing can be guessed back once it is erased."""
    books.open("R-1", title="same")
    books.open("R-2", title="same")
    digests = [row["personal_digest"] for row in books.rows("SELECT personal_digest FROM event")]
    assert len(set(digests[1:])) == 2


def test_facts_hold_nothing_personal(books: Book) -> None:
    """Names, titles, reasons and other attributes lie in the erasable table only."""
    customer = {"id": "C-1", "name": "Sesame"}
    books.open(description="Sesame", customer=customer, title="Sesame", skills=["Sesame"])
    books.record("request.declined", "10-05 08:01", request="R-1", reason="Sesame")
    held = [table for table, rows in books.dump() if "Sesame" in str(rows)]
    assert held == ["event_personal"]


# --- append-only ----------------------------------------------------------------------------------


@pytest.fixture
def filled(ledger: Path) -> Path:
    """Make a ledger file with one of everything that is append-only."""
    feed = [
        event("request.opened", "10-05 08:00", **opened()),
        event("request.accepted", "10-05 08:00", request="R-1"),
        event("session.ended", "10-05 08:20", session="R-1"),
    ]
    with Portal(ledger) as portal:
        portal.record(feed, allow=True)
    return ledger


@pytest.mark.parametrize("table", ["event", "transaction", "transfer"])
@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE "{}" SET {key} = {key}',
        'DELETE FROM "{}"',
        'INSERT OR REPLACE INTO "{}" SELECT * FROM "{}"',
        'INSERT OR IGNORE INTO "{}" SELECT * FROM "{}"',
        'INSERT INTO "{}" SELECT * FROM "{}"',
    ],
)
def test_history_is_append_only(filled: Path, table: str, statement: str) -> None:
    """The database itself refuses UPDATE, DELETE and INSERT OR REPLACE, on any connection."""
    before = contents(filled)
    key = "time" if table == "event" else "period"
    with pytest.raises(DatabaseError, match="append-only"):
        query(filled, statement.format(table, table, key=key))
    assert contents(filled) == before


@pytest.mark.damages
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event_personal SET body = '{}'",
        "INSERT OR REPLACE INTO event_personal SELECT * FROM event_personal",
    ],
)
def test_personal_data_is_only_ever_erased(filled: Path, statement: str) -> None:
    """It cannot be rewritten; erasing it keeps the chain valid."""
    with pytest.raises(DatabaseError, match="written once"):
        query(filled, statement)
    query(filled, "DELETE FROM event_personal")


# --- dry runs -------------------------------------------------------------------------------------


def test_a_dry_run_leaves_nothing_and_no_gap(filled: Path) -> None:
    """The real transaction, rolled back: the next event's number is the last + 1."""
    before = contents(filled)
    with Portal(filled, dry_run=True) as portal:
        outcome = portal.execute(TipReceived(session="R-1", amount=usd("5.00")))
        assert (outcome.status, outcome.seq) == ("recorded", 5)
    assert contents(filled) == before
    with Portal(filled) as portal:
        assert portal.execute(TipReceived(session="R-1", amount=usd("5.00"))).seq == 5
    assert [seq for (seq,) in query(filled, "SELECT seq FROM event ORDER BY seq")] == [
        1,
        2,
        3,
        4,
        5,
    ]


def test_a_dry_run_refuses_as_the_real_one_does(filled: Path) -> None:
    """A dry run ends with the refusal that the run would have ended with."""
    for dry_run in (True, False):
        with Portal(filled, dry_run=dry_run) as portal, pytest.raises(WrongState):
            portal.execute(SessionPaused(session="R-1"))


def test_records_are_all_or_nothing(filled: Path) -> None:
    """Events that are recorded together are recorded together, or not at all."""
    before = contents(filled)
    with Portal(filled) as portal, pytest.raises(WrongState):
        portal.record(
            [
                event("tip.received", "10-05 09:00", session="R-1", amount=amount("5.00")),
                event("session.paused", "10-05 09:00", session="R-1"),
            ],
            allow=True,
        )
    assert contents(filled) == before


def test_a_clock_that_lags_far_behind(filled: Path) -> None:
    """A machine whose clock was reset still records, in order."""
    with Portal(filled, now=Clock(at("01-01 00:00") - timedelta(days=9_000))) as portal:
        portal.execute(TipReceived(session="R-1", amount=usd("5.00")), at=at("10-05 09:00"))
    times = [time for (time,) in query(filled, "SELECT recorded_at FROM event ORDER BY seq")]
    assert times == sorted(times)
