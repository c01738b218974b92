"""The fuzz targets: every reader of outside bytes, each a function of bytes.

A target returns whether the bytes were valid; any exception but the contract's own errors is a bug,
and so is a property that fails. `python -m tests.fuzz` runs the targets under a coverage-guided
fuzzer, `tests/faults/test_fuzz.py` with Hypothesis and with every input of `corpus/`, which keeps
every input that once broke a target.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import cast

from liveportal.cli.commands.earnings.statement import verify_statement
from liveportal.cli.commands.payouts.profile.options import _plain
from liveportal.cli.commands.preferences import toml_document
from liveportal.cli.parse import profile_fields, spans, times, toml_file
from liveportal.domain.errors import LiveportalError, MalformedFile
from liveportal.domain.events.fields import decode, joined, split
from liveportal.domain.events.types import PreferencesChanged
from liveportal.domain.frozen import replace
from liveportal.domain.money import Money, Percent
from liveportal.domain.policy import Policy
from liveportal.domain.schedule.preferences import changed_preferences
from liveportal.domain.text import clean, csv_safe
from liveportal.exports import events as exports
from liveportal.exports.calendar import CalendarEvent, write_calendar
from liveportal.exports.pack import verify_pack
from liveportal.exports.statement_csv import to_csv
from liveportal.feeds import exported, jsonl, transcripts
from liveportal.feeds.adapters import ADAPTERS, MAPPED, TABLE_ADAPTERS
from liveportal.feeds.following import read_stream
from liveportal.feeds.own_calendar import OwnCalendar
from liveportal.ledger import imports
from liveportal.ledger.format.serialisation import journal
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries import session_search as find
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.statement import statement as made
from liveportal.ledger.secrets import key_store
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from liveportal.services.adapting import FeedFormat
from liveportal.statements.options import Options
from liveportal.statements.reading import read_statements
from liveportal.tables.mapping import read_mapping
from liveportal.tables.mapping_template import template
from liveportal.tables.source import Source

Target = Callable[[bytes], bool]

TARGETS: dict[str, Target] = {}
CORPUS = Path(__file__).parent / "corpus"
SAMPLE = Path(jsonl.__file__).parents[1] / "samples" / "october.jsonl"
NOW = datetime(2026, 10, 28, 2, 30, tzinfo=UTC)
BANK_MAPPING = read_mapping(
    b'name="b"\n[columns]\ndate="Day"\ncredit="In"\ndebit="Out"\nfee="Fee"\ntext="Text"\n'
    b'[format]\nskip=1\nencoding="cp1252"\n[fixed]\ncurrency="EUR"\n',
    "bank.toml",
)
HOURS = {
    "own": {
        "columns": {
            "start": ["Day", "From"],
            "end": "To",
            "duration": "Length",
            "zone": "Zone",
            "customer": "Who",
            "customer_id": "Key",
            "title": "What",
            "rate": "Rate (*)",
            "amount": "Sum (*)",
            "id": "No",
            "pauses": "Break",
        },
        "match": {"header": ["From"]},
    }
}
ZONES = ("UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Europe/Dublin")
NAMES = ("a.vtt", "a.srt", "a.txt", "a.jsonl", "")
SEEN = 2_000  # The length of text tried for typed input: no shell takes more.


def target(function: Target) -> Target:
    """Make a function a target: errors of the contract are an answer like any other."""

    def run(data: bytes) -> bool:
        try:
            return function(data)
        except LiveportalError as error:
            _check_error(error)
            return False

    TARGETS[function.__name__] = run
    return run


def _check_error(error: LiveportalError) -> None:
    assert error.code.isidentifier()
    assert error.message
    json.dumps(error.details, default=str)


@cache
def scratch() -> Path:
    """Return a folder of this process, in memory where the system has such."""
    shared = Path("/dev/shm")  # noqa: S108 -- A folder of its own is made in it.
    where = shared if shared.is_dir() and os.access(shared, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="liveportal-fuzz-", dir=where))


@cache
def october() -> Path:
    """Return a ledger that holds the sample."""
    path = scratch() / "october.db"
    Portal.create(path, Policy(), now=lambda: NOW)
    with Portal(path, now=lambda: NOW) as portal, SAMPLE.open("rb") as feed:
        portal.sync(feed)
    return path


@cache
def october_statement() -> bytes:
    """Return that ledger's statement of October."""
    with open_readonly(october()) as reader:
        return to_csv(made(reader, "2026-10")).encode()


# --- feeds ----------------------------------------------------------------------------------------


@target
def events(data: bytes) -> bool:
    """A feed's lines: an event that means the same when it is read back, or an error."""
    taken = False
    for line in jsonl.lines(BytesIO(data)):
        with suppress(LiveportalError):
            event = jsonl.read(line)
            taken = True
            facts, personal = split(event.data)
            stored = json.loads(json.dumps(joined(facts, personal)))
            assert decode(type(event.data), stored) == event.data
            json.dumps(event.attributes)
    return taken


@target
def sync(data: bytes) -> bool:
    """A whole feed into a ledger: all of it or nothing, and the ledger is sound in either case."""
    path = scratch() / "synced.db"
    shutil.copyfile(october(), path)
    try:
        before = _head(path)
        with Portal(path, now=lambda: NOW) as portal:
            try:
                synced = portal.sync(BytesIO(data))
            except LiveportalError:
                assert portal.head() == before, "a refused feed left something behind"
                raise
            assert synced.head == portal.head()
        with open_readonly(path) as reader:
            verify(reader.db)
        return bool(synced.recorded)
    finally:
        for file in scratch().glob("synced.db*"):
            file.unlink()


@target
def webhooks(data: bytes) -> bool:
    """The documents of another tool: all or nothing, and nothing more when they are read again."""
    path = scratch() / "adapted.db"
    shutil.copyfile(october(), path)
    rate = Money(300, "USD")
    formats = [FeedFormat(name, rate=rate, trust_schedule=True, hop="payout") for name in ADAPTERS]
    try:
        recorded = 0
        for wanted in formats:
            with Portal(path, now=lambda: NOW) as portal, suppress(LiveportalError):
                synced = portal.sync(BytesIO(data), feed_format=wanted)
                again = portal.sync(BytesIO(data), feed_format=wanted)
                assert (again.recorded, again.head) == (0, synced.head)
                recorded += synced.recorded
        with open_readonly(path) as reader:
            verify(reader.db)
        return bool(recorded)
    finally:
        for file in scratch().glob("adapted.db*"):
            file.unlink()


@target
def hours(data: bytes) -> bool:
    """Any table as a time tracker's: all or nothing, and nothing more when it is read again."""
    path = scratch() / "hours.db"
    shutil.copyfile(october(), path)
    rate, zone = Money(300, "USD"), "Australia/Lord_Howe"
    formats = [FeedFormat(name, rate, dates="dmy", timezone=zone) for name in TABLE_ADAPTERS]
    taken = False
    try:
        for each in formats:
            wanted = replace(each, mapping="own", mappings=HOURS) if each.name == MAPPED else each
            with Portal(path, now=lambda: NOW) as portal, suppress(LiveportalError):
                synced = portal.sync(BytesIO(data), feed_format=wanted)
                again = portal.sync(BytesIO(data), feed_format=wanted)
                assert (again.recorded, again.head) == (0, synced.head)
                taken = taken or bool(synced.recorded)
        with open_readonly(path) as reader:
            verify(reader.db)
        return taken
    finally:
        for file in scratch().glob("hours.db*"):
            file.unlink()


@target
def export(data: bytes) -> bool:
    """An export: it makes a ledger that is sound and gives the same export again, or nothing."""
    path = scratch() / "imported.db"
    try:
        contents = exported.summarise(BytesIO(data))
        into = imports.target(path, begins_ledger=contents.begins_ledger)
        try:
            chunks = exported.events(BytesIO(data), contents.digest)
            imports.import_events(path, chunks, into, lambda: NOW)
        except LiveportalError:
            assert list(scratch().glob("*imported.db*")) == [], "a refused export left something"
            raise
        first = _exported(path)
        path.unlink()
        again = exported.summarise(BytesIO(first))
        chunks = exported.events(BytesIO(first), again.digest)
        imports.import_events(path, chunks, into, lambda: NOW)
        assert _exported(path) == first
        return True
    finally:
        for file in scratch().glob("*imported.db*"):
            file.unlink()


def _exported(path: Path) -> bytes:
    with open_readonly(path) as reader:
        verify(reader.db, vault=path, deep=False)
        lines = [exports.line(e.event, e.recorded_at, erased=e.erased) for e in journal(reader.db)]
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _head(path: Path) -> str:
    with Portal(path, now=lambda: NOW) as portal:
        return portal.head()


@target
def following(data: bytes) -> bool:
    """A stream that comes in pieces has the lines that it has in one piece."""
    size, content = (data[0] % 7 + 1, data[1:]) if data else (1, b"")

    class Pieces(BytesIO):
        def read1(self, _size: int | None = -1) -> bytes:
            return self.read(size)

    stream = cast("BufferedReader", Pieces(content))  # It has the attributes used here.
    lines = [
        line
        for part in read_stream(stream, lambda _: None)
        for line in jsonl.lines(BytesIO(part.content), part.before)
    ]
    assert lines == list(jsonl.lines(BytesIO(content)))
    return bool(lines)


@target
def transcript(data: bytes) -> bool:
    """A transcript in any format; nothing is an error."""
    choice, content = (data[0], data[1:]) if data else (0, b"")
    messages = transcripts.read(
        BytesIO(content),
        NAMES[choice % len(NAMES)],
        began=NOW,
        timezone=ZONES[choice // len(NAMES) % len(ZONES)],
    )
    for message in messages.messages:
        assert message.text
        message.text.encode()
        (message.speaker or "").encode()
        assert message.offset_ms is None or abs(message.offset_ms) < 2**40
    return bool(messages.messages)


# --- files ----------------------------------------------------------------------------------------


@target
def policy(data: bytes) -> bool:
    """A policy file."""
    text = _text(data)
    if text is None:
        return False
    try:
        document = toml_file.loads(text)
    except ValueError:
        return False
    parsed = Policy.from_document(document)
    assert Policy.from_document(json.loads(json.dumps(parsed.document))) == parsed
    return True


@target
def preferences(data: bytes) -> bool:
    """A file of preferences; writing and parsing it again gives the same value."""
    text = _text(data)
    if text is None:
        return False

    def read(given: str) -> PreferencesChanged:
        return toml_document.parse_toml(given, "file", _money)

    policy = read(text)
    facts, personal = split(policy)
    assert (
        changed_preferences(read(toml_document.format_toml(joined(facts, personal))), policy) == {}
    )
    return True


def _money(given: str) -> Money:
    number, _, currency = given.partition(" ")
    return Money.parse(number, currency or "USD")


@target
def profile(data: bytes) -> bool:
    """A file of the payout profile, with all the libraries that check it."""
    text = _text(data)
    if text is None:
        return False
    try:
        document = toml_file.loads(text)
    except ValueError:
        return False
    given = {name: _plain(name, document, "UTC") for name in document}
    profile_fields.check_fields(given)
    return True


@target
def calendar(data: bytes) -> bool:
    """A calendar that the sessions are put into: its own events stay, and it can be read again."""
    entry = CalendarEvent(
        session="S-1",
        start=NOW,
        end=None,
        cancelled=False,
        changes=3,
        changed_at=NOW,
        summary="help",
        description="with it",
        alarms=(10,),
    )
    once = write_calendar("book", [entry], data)
    assert write_calendar("book", [entry], once.content).events == once.events
    return bool(data)


@target
def pack(data: bytes) -> bool:
    """An evidence pack."""
    path = scratch() / "pack.zip"
    path.write_bytes(data)
    return not verify_pack(path).problems


@target
def statement(data: bytes) -> bool:
    """A statement that is to be proved; its seal has a head, which no two ledgers share."""
    whole = october_statement()
    path = scratch() / "statement.csv"
    path.write_bytes(data.replace(b"@STATEMENT@", whole).replace(b"@SEAL@", whole.splitlines()[-1]))
    with open_readonly(october()) as reader:
        verify_statement(reader, path)
    return True


@target
def own_calendar(data: bytes) -> bool:
    """The expert's own calendar: events in order that can be shown, or an error with its line."""
    try:
        found = OwnCalendar([Source("file.csv", BytesIO(data))])
        events = found.between(NOW, NOW + timedelta(days=30), "Europe/Berlin")
    except LiveportalError as error:
        _check_place(error)
        raise
    assert all(event.title.isprintable() and event.start <= event.end for event in events)
    assert list(events) == sorted(events, key=lambda event: event.start)
    return True


@target
def provider_file(data: bytes) -> bool:
    """A provider's file: rows that its own sums and balances prove, or an error with its line."""
    for unproved in (False, True):
        hop = "payout" if unproved else "transfer"
        options = Options(unproved=unproved, dates="dmy", hop=hop, mappings=(BANK_MAPPING,))
        try:
            (*_, file) = read_statements([Source("file.csv", BytesIO(data))], options)
        except LiveportalError as error:
            _check_place(error)
            if unproved:
                raise
            continue
        assert len({row.row for row in file.rows}) == len(file.rows)
        may_share_lines = file.provider == "bank" or file.format in {"wise-json", "stripe-events"}
        assert may_share_lines or len({row.line for row in file.rows}) == len(file.rows)
        assert all(row.time is None or row.time.tzinfo is UTC for row in file.rows)
        assert unproved or all(proof.rows == proof.proved for proof in file.proofs)
    return True


@target
def mapping(data: bytes) -> bool:
    """A mapping document; a template from any file's header is one, too."""
    for rows in ("statement", "hours"):
        with suppress(LiveportalError):
            text = template(Source("file.csv", BytesIO(data)), rows)
            with suppress(MalformedFile):  # What was not recognised is to be filled in.
                read_mapping(text.encode(), "file.toml")
    return bool(read_mapping(data, "file.toml").columns)


def _check_place(error: LiveportalError) -> None:
    assert error.message.isprintable()
    assert str(error.details["file"]).startswith("file.csv")
    assert int(str(error.details["line"])) > 0


@target
def key(data: bytes) -> bool:
    """A file of keys."""
    return bool(key_store.parse_keys(data.decode("ascii", "replace"), "the file"))


# --- what people type -----------------------------------------------------------------------------


@target
def moment(data: bytes) -> bool:
    """A time, a span, a length or a month as people type them."""
    text = data[1:SEEN].decode("utf-8", "replace")
    zone = ZONES[data[0] % len(ZONES)] if data else "UTC"
    count = 0
    for attempt in (
        lambda: times.read_time(text, zone, NOW),
        lambda: times.read_time(text, zone, NOW, past=True, date_only=True),
        lambda: times.read_as_known(text, zone, NOW),
        lambda: spans.read_span(text, zone, NOW),
        lambda: times.read_length(text),
        lambda: times.read_month(text, NOW.date()),
    ):
        with suppress(LiveportalError):
            attempt()
            count += 1
    return count > 0


@target
def amount(data: bytes) -> bool:
    """An amount or a percentage; formatted, it parses to the same value."""
    text = data[:SEEN].decode("utf-8", "replace")
    with suppress(LiveportalError):
        percent = Percent.parse(text)
        assert Percent.parse(str(percent)) == percent
    money = _money(text)
    assert Money.parse(str(money), money.currency) == money
    return True


@target
def shown(data: bytes) -> bool:
    """A text on a terminal and in a spreadsheet."""
    text = data.decode("utf-8", "surrogateescape")
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert cleaned.isprintable() or not any(
        character in cleaned for character in "\x1b\x07\x9b\n\r\t\x85"
    )
    safe = csv_safe(cleaned)
    for part in safe.split(";"):
        bare = part.lstrip(" ")
        assert bare[:1] not in tuple("=+-@") or bare[:2] == "-)", safe
    return cleaned != text


@target
def search(data: bytes) -> bool:
    """Search words: the index treats them as text, whatever they look like."""
    words = data[:SEEN].decode("utf-8", "replace").replace("\x00", "").split("\n")
    finder = find.matching(words)
    if finder is None:
        return False
    with open_readonly(october()) as reader:
        find.search(reader, finder, find.Where(speaker=words[0]), 1)
        find.search(reader, finder, find.Where(), 1)
        _known(reader, words[0])
    return True


def _known(reader: Reader, text: str) -> None:
    with suppress(LiveportalError):
        assert reader.resolve_id("session", text).startswith(text)


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
