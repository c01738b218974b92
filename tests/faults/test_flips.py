"""A flipped byte of the file: the ledger reports it, or no answer depends on it.

For every used page, in this process: a ledger that cannot be opened raises one of our errors; a
ledger that opens and is changed fails `verify`; and one that verifies gives the very same answers.
There is no third way, no wrong number, and no failure that is not one of ours.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from liveportal.domain.errors import LiveportalError, VerificationFailed
from liveportal.domain.events.types import TipReceived
from liveportal.domain.money import Money
from liveportal.feeds import transcripts
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.session_search import Where, matching, search
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from tests.faults.conftest import Amount
from tests.kit import rich_ledger as rich
from tests.ledger.test_released import figures

pytestmark = pytest.mark.slow

SEED = 20261128
CHUNKS = 32
"""Into how many tests the whole set is divided, so that all processors have some."""

Answers = tuple[Any, ...]


def answers(path: Path) -> Answers:
    """Return everything that a ledger shows: its queries, and every row of its tables."""
    with open_readonly(path) as reader:
        tables = [
            name
            for (name,) in reader.db.execute(
                # The layout of SQLite's index is its own: its search results are compared below.
                "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"
                " AND name NOT LIKE 'message_index%' ORDER BY name"
            ).fetchall()
        ]
        rows = [
            sorted(reader.db.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608
            for name in tables
        ]
        finders = filter(None, (matching([word]) for word in ("flickers", "fixed", "Mina")))
        results = [search(reader, finder, Where()) for finder in finders]
    return tables, rows, results, figures(path)


def outcome(path: Path, whole: Answers, *, ask: bool) -> str:
    """Return how a flip was found, or `unused`; with `ask` the queries are tried in any case."""
    try:
        with open_readonly(path) as reader:
            result = verify(reader.db, vault=path, deep=True, read=transcripts.read)
            assert result.rules_changed == (), "a damaged ledger is no question of rules"
    except VerificationFailed as error:
        if ask:
            _asked(path)
        return _check_that(error.message.partition(": ")[2])
    except LiveportalError as error:
        if ask:
            _asked(path)
        return f"opening: {error.code}"
    try:
        seen = answers(path)
    except LiveportalError as error:
        return f"reading: {error.code}"
    assert seen == whole, "it verifies, and says something else"
    return "unused"


def _asked(path: Path) -> None:
    """Read and write nevertheless: the result is an answer or one of our errors."""
    for ask in (figures, _written):
        try:
            ask(path)
        except LiveportalError:
            continue


def _written(path: Path) -> None:
    with Portal(path, dry_run=True) as portal:
        portal.execute(TipReceived(session="S-1", amount=Money(100, "USD")))


def _check_that(message: str) -> str:
    """Return which check found it, for the table."""
    for part, name in (
        ("the file is damaged", "pages and indexes"),
        ("refers to a row", "references"),
        ("is missing", "form, or rows that are gone"),
        ("payout profile", "sealed values"),
        ("personal data", "personal data"),
        ("booked", "what was booked"),
        ("the sums of", "flows"),
        ("the views show", "views"),
        ("message", "messages"),
        ("full-text", "messages"),
        ("differs from the journal", "derived tables"),
        ("is in no event", "derived tables"),
        ("event", "chain"),
        ("trigger", "form, or rows that are gone"),
        ("was changed", "form, or rows that are gone"),
    ):
        if part in message:
            return name
    return message


@pytest.fixture(scope="module")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the ledger whose bytes are flipped; in memory, if the system has such a place."""
    memory = Path("/dev/shm")  # noqa: S108 -- A folder of its own is made in it.
    folder = tmp_path_factory.mktemp("flips")
    if os.access(memory, os.W_OK):
        folder = memory / f"liveportal-flips-{os.getpid()}"
        folder.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVEPORTAL_KEYRING", "off")
        path = rich.make(folder, rich.LATEST)
        _execute(path, "PRAGMA journal_mode = DELETE")
        yield path
    shutil.rmtree(folder)


def _execute(path: Path, *statements: str) -> None:
    with closing(Connection(str(path), isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def _flip(
    path: Path, places: Iterable[tuple[int, int]], whole: Answers, every: int
) -> Counter[str]:
    """Flip bits at each place, and return how often each check found it."""
    counts: Counter[str] = Counter()
    content = path.read_bytes()
    try:
        for number, (place, bits) in enumerate(places):
            with path.open("r+b") as file:
                file.seek(place)
                file.write(bytes([content[place] ^ bits]))
            try:
                counts[outcome(path, whole, ask=number % every == 0)] += 1
            except BaseException as error:
                error.add_note(f"byte {place} of {path.name}, bits {bits:#04x}")
                raise
            finally:
                with path.open("r+b") as file:
                    file.seek(place)
                    file.write(content[place : place + 1])
    finally:
        path.write_bytes(content)
    return counts


def _report(name: str, counts: Counter[str]) -> None:
    """Print how many flips each check found: `pytest -s` shows it."""
    rows = "".join(f"\n  {count:8} {check}" for check, count in counts.most_common())
    sys.stderr.write(f"\n{name}: {counts.total()} bytes flipped{rows}\n")


def test_a_byte_of_every_page(flipped: Path, amount: Amount) -> None:
    """Some in each page: its header, its cells' pointers, its records and its payload."""
    whole = answers(flipped)
    random_ = random.Random(SEED)  # noqa: S311 -- The same places every time.
    size = 4096
    pages = flipped.stat().st_size // size
    content = flipped.read_bytes()
    places: list[tuple[int, int]] = []
    for page in range(pages):
        start = page * size
        used = [n for n in range(start, start + size) if content[n]]
        headers = [random_.randrange(*within) for within in ((0, 12), (8, 60))]
        headers = headers[: amount(quick=1, whole=2)]
        places += [(start + place, 1 << random_.randrange(8)) for place in headers]
        count = amount(quick=1, whole=60)
        places += [(random_.choice(used), random_.randrange(1, 256)) for _ in range(count)]
    counts = _flip(flipped, places, whole, every=amount(quick=4, whole=2))
    _report("pages of 4096 bytes", counts)
    assert counts.total() == len(places)
    assert counts["pages and indexes"]
    assert counts["chain"] + counts["what was booked"] + counts["personal data"]
    assert counts["derived tables"]


@pytest.fixture(scope="module")
def small(
    flipped: Path,
) -> Iterator[tuple[Path, Answers]]:
    """Make it small: pages of 512 bytes, so that few bytes are in no use."""
    folder = flipped.parent.with_name(f"{flipped.parent.name}-small")
    shutil.copytree(flipped.parent, folder)
    path = folder / flipped.name
    _execute(path, "PRAGMA page_size = 512", "VACUUM")
    yield path, answers(path)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "chunk", [0, *(pytest.param(n, marks=pytest.mark.whole) for n in range(1, CHUNKS))]
)
def test_every_byte(small: tuple[Path, Answers], amount: Amount, chunk: int) -> None:
    """All of them in the whole set; a few from all over the file in a quick one."""
    path, whole = small
    size = path.stat().st_size
    places = range(chunk, size, CHUNKS)
    places = places[:: amount(quick=len(places) // 12, whole=1)]
    random_ = random.Random(SEED + chunk)  # noqa: S311
    flips = [(place, random_.randrange(1, 256)) for place in places]
    _report(f"every byte, part {chunk}", _flip(path, flips, whole, every=16))


# --- the write-ahead log --------------------------------------------------------------------------


@pytest.mark.damages
def test_a_byte_of_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, amount: Amount) -> None:
    """The log has its own checksums: everything after a flipped byte counts as not committed.

    So the ledger is whole, as after one of its transactions; only a noted head reveals that there
    were more.
    """
    monkeypatch.setenv("LIVEPORTAL_KEYRING", "off")
    path = rich.make(tmp_path, rich.LATEST)
    log = path.with_name(f"{path.name}-wal")
    kept = tmp_path / "kept"
    kept.mkdir()
    states = []
    with closing(Connection(str(path), isolation_level=None)) as held:
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        held.execute("SELECT count(*) FROM event").fetchone()  # While it is open, the log stays.
        states.append(answers(path))
        for number in range(4):
            with Portal(path) as portal:
                portal.execute(TipReceived(session="S-1", amount=Money(100 + number, "USD")))
            states.append(answers(path))
        for file in (path, log):
            shutil.copyfile(file, kept / file.name)
    size = log.stat().st_size if log.exists() else (kept / log.name).stat().st_size
    content = (kept / log.name).read_bytes()
    random_ = random.Random(SEED)  # noqa: S311
    headers = [
        32 + frame * (24 + 4096) + random_.randrange(24) for frame in range((size - 32) // 4120)
    ]
    places = [*range(32), *headers][:: amount(quick=6, whole=1)]
    places += [random_.randrange(size) for _ in range(amount(quick=10, whole=3_000))]
    seen: Counter[str] = Counter()
    for place in places:
        for file in kept.iterdir():
            if file.name.endswith("-shm"):
                file.unlink()
        broken = bytearray(content)
        broken[place] ^= random_.randrange(1, 256)
        (kept / log.name).write_bytes(broken)
        try:
            with open_readonly(kept / path.name) as reader:
                verify(reader.db)
            state = states.index(answers(kept / path.name))
            seen[f"as after transaction {state}"] += 1
        except LiveportalError as error:
            seen[error.code] += 1
        except BaseException as error:
            error.add_note(f"byte {place} of the log")
            raise
    _report("write-ahead log", seen)
    assert seen["as after transaction 0"], "what was wrong with the first frame lost nothing?"
    assert set(seen) <= {f"as after transaction {n}" for n in range(5)}
