"""An export can be imported as an equal ledger: checks of a book."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from random import Random
from typing import Any

from liveportal.domain.clock import utc_text
from liveportal.domain.events.envelope import CLI_SOURCE, Event
from liveportal.domain.events.sources import Origin
from liveportal.domain.events.types import CustomerForgotten, RequestAccepted, RequestOpened
from liveportal.exports.events import line
from liveportal.feeds import exported
from liveportal.ledger import imports
from liveportal.ledger.format.serialisation import journal
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.replay.replay import replayed_copy
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.verify import verify
from tests.kit import quick_ledgers as ledgers
from tests.kit.quick_ledgers import NOW, NOWHERE, empty_ledger, tables
from tests.properties.trial import Check, Trial

BESIDE = ("missing_value", "missing_file")
WORDS = ("", "plain", "Zoë 🦊", "\ud83e half of a pair", "\x1b[31m\x00\u202e", '"\\')
ATTRIBUTES = ("subject", "traceparent", "x1")
VALUES = ("", "a\u2028b", 7, True, -(2**70))


def exported_lines(db: Connection, *, without_personal: bool = False) -> bytes:
    """Export a ledger as the command does."""
    return b"".join(
        line(
            recorded_event.event,
            recorded_event.recorded_at,
            erased=recorded_event.erased,
            without_personal=without_personal,
        ).encode("ascii")
        + b"\n"
        for recorded_event in journal(db)
    )


@contextmanager
def imported(content: bytes, *, as_exported: bool = True) -> Iterator[Connection]:
    """Import an export into a ledger with nothing in it, a year after it was written."""

    def later() -> Any:  # noqa: ANN401 (a clock)
        return NOW + timedelta(days=365)

    export = exported.summarise(BytesIO(content))
    chunks = exported.events(BytesIO(content), export.digest)
    with empty_ledger() as db:
        store = LedgerFile(db, NOWHERE, later, is_new=True)
        imports._record(store, chunks, later, as_exported=as_exported)  # noqa: SLF001
        yield db


def compared(db: Connection) -> tuple[dict[str, ledgers.Table], ledgers.Table, ledgers.Table]:
    """Return everything that equal ledgers share: tables, personal texts, and erased events."""
    contents = {
        name: rows for name, rows in tables(db, replayed=True).items() if name not in BESIDE
    }
    texts = db.execute("SELECT seq, body FROM event_personal ORDER BY seq").fetchall()
    gone = db.execute(
        "SELECT seq FROM event LEFT JOIN event_personal USING (seq)"
        " WHERE personal_digest <> x'' AND body IS NULL ORDER BY seq"
    ).fetchall()
    return contents, texts, gone


def _record(db: Connection, events: Sequence[Event], at: datetime) -> None:
    """Record events of any source, at a time of the clock."""
    with LedgerFile(db, NOWHERE, lambda: at, is_new=True).writing() as writer:
        for event in events:
            writer.record(event, origin=Origin.JOURNAL)


def decorated(event: Event, random: Random) -> Event:
    """Return an event with attributes and texts of any kind, and perhaps of the expert's."""
    names = random.sample(sorted(ATTRIBUTES), random.randrange(4))
    facts: Any = event.data
    for name in ("title", "reason", "summary"):
        if isinstance(getattr(facts, name, None), str) and not isinstance(facts, RequestAccepted):
            facts = replace(facts, **{name: random.choice(WORDS)})
    attributes = {name: random.choice(VALUES) for name in names}
    return replace(event, attributes=attributes, data=facts)


@contextmanager
def recorded(trial: Trial) -> Iterator[Connection]:
    """Yield a ledger of a book recorded at several times, with rows in every table."""
    events = [decorated(event, trial.random) for event in trial.book.events]
    cuts = sorted(trial.random.choices(range(1, len(events) + 1), k=trial.random.randrange(4)))
    with empty_ledger() as db:
        for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(events)], strict=True)):
            _record(db, events[start:end], NOW + timedelta(hours=number))
        yield db


def an_export_comes_back_as_an_equal_ledger(trial: Trial) -> None:
    """Tables, texts and recording times are equal; so is a second export, byte by byte."""
    with recorded(trial) as db:
        content = exported_lines(db)
        with imported(content) as copy:
            assert compared(copy) == compared(db)
            assert exported_lines(copy) == content
            assert verify(copy).events == verify(db).events


def as_known_answers_as_before(trial: Trial) -> None:
    """The copy answers as-known queries the same for every known-time."""
    with recorded(trial) as db, imported(exported_lines(db)) as copy:
        for hours in range(4):
            known = NOW + timedelta(hours=hours)
            with (
                closing(replayed_copy(db, until=known)) as then,
                closing(replayed_copy(copy, until=known)) as also,
            ):
                assert compared(also) == compared(then)


def what_is_erased_comes_back_erased(trial: Trial) -> None:
    """A forgotten customer stays forgotten, recorded again or not; books without one work, too."""
    with recorded(trial) as db:
        known = [name for (name,) in db.execute("SELECT id FROM customer ORDER BY id").fetchall()]
        for name in trial.random.sample(known, min(len(known), 2)):
            when = NOW + timedelta(hours=5)
            forgotten = Event(CLI_SOURCE, f"forget-{name}", when, CustomerForgotten(customer=name))
            _record(db, [forgotten], when)
        mirrored = [
            replace(event, source=f"https://mirror.example/{number}")
            for number, event in enumerate(trial.book.events)
            if isinstance(event.data, RequestOpened)
        ]
        _record(db, mirrored, NOW + timedelta(hours=6))
        content = exported_lines(db)
        with imported(content) as copy:
            assert compared(copy) == compared(db)
            assert exported_lines(copy) == content
            assert verify(copy).rules_changed == ()


def what_is_personal_can_be_left_out(trial: Trial) -> None:
    """Facts and money are the same, no text is left, and the ledger is a sound one."""
    with recorded(trial) as db:
        content = exported_lines(db, without_personal=True)
        with imported(content) as copy:
            contents, texts, gone = compared(copy)
            assert contents == compared(db)[0]
            assert texts == []
            assert len(gone) == sum(
                json.loads(feed_line).get("erased", False) for feed_line in content.splitlines()
            )
            assert exported_lines(copy) == content
            verify(copy)


def an_import_again_changes_nothing(trial: Trial) -> None:
    """In a ledger with these events all are replays, also without personal data."""
    with recorded(trial) as db:
        before = tables(db)
        for without in (False, True):
            content = exported_lines(db, without_personal=without)
            export = exported.summarise(BytesIO(content))
            chunks = exported.events(BytesIO(content), export.digest)
            store = LedgerFile(db, NOWHERE, ledgers.clock)
            done = imports._record(store, chunks, ledgers.clock, as_exported=False)  # noqa: SLF001
            assert (done.recorded, done.replayed) == (0, export.events)
            assert tables(db) == before


def into_a_ledger_that_exists_it_is_recorded_now(trial: Trial) -> None:
    """The books are the same, in the file's order, but known only from now on."""
    with recorded(trial) as db, imported(exported_lines(db), as_exported=False) as copy:
        ours, theirs = compared(copy)[0], compared(db)[0]
        assert {when for *_, when, _ in ours["event"]} == {utc_text(NOW + timedelta(days=365))}
        del ours["event"], theirs["event"]
        assert ours == theirs


HEAVY: tuple[Check, ...] = (
    an_export_comes_back_as_an_equal_ledger,
    as_known_answers_as_before,
    what_is_erased_comes_back_erased,
    what_is_personal_can_be_left_out,
    an_import_again_changes_nothing,
    into_a_ledger_that_exists_it_is_recorded_now,
)
