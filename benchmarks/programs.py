"""The contestants of each task: our program, other accounting programs, and baselines in Python.

Each function returns the contestants of one task for one ledger; the first is ours.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.books import MONTH, OPEN_REQUESTS, SEARCHED
from benchmarks.eager import eager_program
from benchmarks.measure import Contestant, fixed
from liveportal.ledger.queries import earnings

FIRST, LAST = earnings.FIRST, earnings.LAST
FLOOR = "parse, validate, chain and insert (floor.py)"
AGAIN = "liveportal sync, the same feed again"
FEW_ROUNDS = 2
"""The number of rounds of tasks that take minutes."""

IDLE = """\
import typer
app = typer.Typer()
@app.command()
def idle() -> None: ...
app()
"""
QUERY = """\
import json, sys
try:
    from pysqlite3 import dbapi2 as driver
except ImportError:
    import sqlite3 as driver
db = driver.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
found = []
for statement, values in json.loads(sys.argv[2]):
    cursor = db.execute(statement, values)
    names = [column[0] for column in cursor.description]
    found.append([dict(zip(names, row)) for row in cursor.fetchall()])
print(json.dumps(found))
"""
BEANCOUNT = """\
import os, sys
os.environ["BEANCOUNT_DISABLE_LOAD_CACHE"] = "1"
from beancount import loader
from beancount.core import data, inventory
entries, errors, _ = loader.load_file(sys.argv[1])
assert not errors, errors[:3]
sums = {}
for entry in data.filter_txns(entries):
    month = entry.date.strftime("%Y-%m")
    if sys.argv[2] in ("all", month):
        for posting in entry.postings:
            key = (month, posting.account)
            sums.setdefault(key, inventory.Inventory()).add_position(posting)
for key in sorted(sums):
    print(*key, sums[key])
"""
MONTH_QUERY = (
    (earnings._COUNTS, (MONTH, MONTH)),  # noqa: SLF001 -- The same query as the program.
    (earnings._MONEY, (MONTH, MONTH)),  # noqa: SLF001
    (earnings._BALANCE, (MONTH,)),  # noqa: SLF001
)
MONTHS_QUERY = (
    (earnings._COUNTS, (FIRST, LAST)),  # noqa: SLF001
    (earnings._MONEY, (FIRST, LAST)),  # noqa: SLF001
)
Query = Sequence[tuple[str, Sequence[str]]]


class Book(NamedTuple):
    """A ledger with `size` transactions, in every format; None for formats that are not needed."""

    size: int
    feed: Path
    ledger: Path
    plain: Path | None
    beancount: Path | None


class Tools(NamedTuple):
    """The paths of our installed program and its Python, and a folder for temporary files."""

    liveportal: str
    python: str
    folder: Path


def missing() -> list[str]:
    """Return the names of the other programs that are not installed."""
    names = [name for name in ("hledger", "ledger", "sqlite3") if shutil.which(name) is None]
    return names if _has_beancount() else [*names, "beancount"]


def _has_beancount() -> bool:
    try:
        import beancount  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        return False
    return beancount is not None


def start_up(tools: Tools) -> list[Contestant]:
    """Return the contestants for printing a version or help, without a ledger."""
    eager = tools.folder / "eager.py"
    eager.write_text(eager_program(), encoding="utf-8")
    return [
        fixed("liveportal --version", [tools.liveportal, "--version"]),
        fixed("liveportal --help", [tools.liveportal, "--help"]),
        fixed("the same in one eager Typer program, --help", [tools.python, str(eager), "--help"]),
        _idle(tools),
        _bare(tools),
    ]


def _bare(tools: Tools) -> Contestant:
    return fixed("Python that does nothing", [tools.python, "-c", "pass"])


def _idle(tools: Tools) -> Contestant:
    path = tools.folder / "idle.py"
    path.write_text(IDLE, encoding="utf-8")
    return fixed("Typer that does nothing", [tools.python, str(path)])


def _bare_query(
    tools: Tools, book: Book, query: Query, name: str = "the same in bare Python"
) -> Contestant:
    path = tools.folder / "query.py"
    path.write_text(QUERY, encoding="utf-8")
    return fixed(name, [tools.python, str(path), str(book.ledger), json.dumps(query)])


def _shell(book: Book, query: Query) -> Iterator[Contestant]:
    """Yield the SQLite shell with a query, its values inlined, and the shell without a query."""
    if (shell := shutil.which("sqlite3")) is None:
        return
    options = [shell, "-readonly", "-json", str(book.ledger)]
    statements = ";\n".join(_with_values(statement, values) for statement, values in query)
    yield fixed("sqlite3 shell, the same SQL", [*options, statements])
    yield fixed("sqlite3 shell that does nothing", [*options, "PRAGMA schema_version"])


def _with_values(statement: str, values: Sequence[str]) -> str:
    for number, value in enumerate(values, 1):
        statement = statement.replace(f"?{number}", f"'{value}'")
    for value in values:
        statement = statement.replace("?", f"'{value}'", 1)
    return statement


def _read_command(tools: Tools, book: Book, *argv: str, terminal: bool = False) -> Contestant:
    words = " ".join(argv)
    name = f"liveportal {words.removesuffix(' --json')}" + (" on a terminal" if terminal else "")
    return fixed(
        name,
        [tools.liveportal, *argv, "--ledger", str(book.ledger)],
        terminal=terminal,
        patience=20,
    )


def month(tools: Tools, book: Book) -> list[Contestant]:
    """Return the contestants for one month's earnings."""
    first, following = f"{MONTH}-01", f"{MONTH[:4]}-{int(MONTH[5:]) + 1:02d}-01"
    span = ("-b", first, "-e", following)
    return [
        _read_command(tools, book, "earnings", "--month", MONTH, "--json"),
        _read_command(tools, book, "earnings", "--month", MONTH, terminal=True),
        _bare_query(tools, book, MONTH_QUERY),
        *_shell(book, MONTH_QUERY),
        *_peer(book, "ledger", "balance", "^income", "^expenses", *span),
        *_peer(book, "hledger", "balance", "income", "expenses", *span),
        *_beancount(book, MONTH),
        _idle(tools),
        _bare(tools),
    ]


def months(tools: Tools, book: Book) -> list[Contestant]:
    """Return the contestants for the earnings of every month."""
    return [
        _read_command(tools, book, "earnings", "months", "--json"),
        _bare_query(tools, book, MONTHS_QUERY),
        *_shell(book, MONTHS_QUERY),
        *_peer(book, "ledger", "register", "--monthly", "^income", "^expenses"),
        *_peer(book, "hledger", "balance", "-M", "income", "expenses"),
        *_beancount(book, "all"),
        _idle(tools),
        _bare(tools),
    ]


def _peer(book: Book, program: str, *argv: str) -> Iterator[Contestant]:
    if book.plain is not None and (path := shutil.which(program)) is not None:
        command = [path, "-f", str(book.plain), *argv]
        yield fixed(f"{program} {' '.join(argv)}", command, most=3, patience=4)


def _beancount(book: Book, which: str) -> Iterator[Contestant]:
    if book.beancount is not None and _has_beancount():
        argv = [sys.executable, "-c", BEANCOUNT, str(book.beancount), which]
        yield fixed(f"beancount, {which} by its loader", argv, most=3, patience=4)


def reads(tools: Tools, book: Book) -> list[Contestant]:
    """Return other read commands that scripts call often."""
    return [
        _read_command(tools, book, "requests", "list", "--state", "open", "--json"),
        _read_command(tools, book, "sessions", "search", SEARCHED, "--json"),
        _read_command(tools, book, "payout", "preview", "--json"),
        _read_command(tools, book, "due", "--json"),
        _read_command(tools, book, "sessions", "upcoming", "--json"),
        _read_command(tools, book, "sessions", "show", "S-1000", "--json"),
        _idle(tools),
        _bare(tools),
    ]


def lists(tools: Tools, book: Book) -> list[Contestant]:
    """Return the commands that write every row of the book."""
    return [
        _read_command(tools, book, "sessions", "list", "--jsonl"),
        _read_command(tools, book, "earnings", "transactions", "--jsonl"),
        _read_command(tools, book, "sessions", "check", "--jsonl"),
        _read_command(tools, book, "requests", "list", "--all", "--jsonl"),
        _idle(tools),
    ]


def views(tools: Tools, book: Book) -> list[Contestant]:
    """Return the views of one month that are calculated from more than its sums."""
    of_month = ("earnings", "--month", MONTH)
    return [
        _read_command(tools, book, *of_month, "--bounds", "--json"),
        _read_command(tools, book, *of_month, "--as-known", "9999-01-01", "--json"),
        _read_command(tools, book, *of_month, "--json"),
        _idle(tools),
    ]


def unpaid(tools: Tools, book: Book) -> list[Contestant]:
    """Return the reads of what is owed, of a ledger that was never paid out."""
    ledger = tools.folder / f"unpaid-{book.size}.db"
    if not ledger.exists():  # Not measured.
        feed = tools.folder / "unpaid.jsonl"
        with book.feed.open(encoding="utf-8") as lines, feed.open("w", encoding="utf-8") as rest:
            rest.writelines(line for line in lines if '"liveportal.payout.' not in line)
        for argv in (["init", "-o", "-"], ["sync", str(feed)]):
            command = [tools.liveportal, *argv, "--ledger", str(ledger), "--json"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    owed = book._replace(ledger=ledger)
    return [
        _read_command(tools, owed, "due", "--json"),
        _read_command(tools, owed, "payout", "preview", "--fields", "as_of,eligible", "--json"),
        _read_command(tools, owed, "payout", "forecast", "--json"),
        _read_command(tools, owed, "payout", "overdue", "--json"),
        _read_command(tools, owed, "requests", "list", "--json"),
        _idle(tools),
    ]


def checks(tools: Tools, book: Book) -> list[Contestant]:
    """Return the contestants for checking a whole ledger."""
    ours = [tools.liveportal, "ledger", "verify", "--ledger", str(book.ledger), "--json"]
    contestants = [
        fixed("liveportal ledger verify", ours, most=2, patience=8),
        fixed("liveportal ledger verify --quick", [*ours, "--quick"], most=3, patience=8),
    ]
    contestants += _peer(book, "hledger", "check")
    contestants += _peer(book, "ledger", "balance", "-n")
    if book.beancount is not None and _has_beancount():
        script = BEANCOUNT.split("sums = {}", maxsplit=1)[0]
        argv = [sys.executable, "-c", script, str(book.beancount)]
        contestants.append(fixed("beancount, loading with its checks", argv, most=3, patience=4))
    return contestants


def writes(tools: Tools, book: Book) -> list[Contestant]:
    """Return the contestants for recording one event, in a copy of the ledger."""
    copy = tools.folder / "written.db"
    _copy_ledger(book.ledger, copy)
    script = tools.folder / "committed.py"
    script.write_text(COMMIT, encoding="utf-8")

    def accept(number: int) -> Sequence[str]:
        name = f"OPEN-{2 * number % OPEN_REQUESTS}"
        return [tools.liveportal, "requests", "accept", name, "--json", "--ledger", str(copy)]

    aside = tools.folder / "aside.db"
    return [
        Contestant("liveportal requests accept", accept, most=OPEN_REQUESTS // 2),
        fixed("import pydantic, and one durable commit", [tools.python, str(script), str(aside)]),
        _idle(tools),
        _bare(tools),
    ]


COMMIT = """\
import sys
import pydantic
try:
    from pysqlite3 import dbapi2 as driver
except ImportError:
    import sqlite3 as driver
class Event(pydantic.BaseModel):
    id: str
    amount: int
db = driver.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE IF NOT EXISTS event (id TEXT, amount INTEGER)")
event = Event(id="one", amount=1)
db.execute("BEGIN IMMEDIATE")
db.execute("INSERT INTO event VALUES (?, ?)", (event.id, event.amount))
db.execute("COMMIT")
"""


def syncs(tools: Tools, book: Book) -> list[Contestant]:
    """Return the contestants for recording a whole feed into an empty ledger."""
    new = tools.folder / "synced.db"

    def init_ledger(_: int) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{new}{suffix}").unlink(missing_ok=True)
        # Not measured.
        init = [tools.liveportal, "init", "--ledger", str(new), "-o", "-", "--json"]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL)

    argv = [tools.liveportal, "sync", str(book.feed), "--ledger", str(new), "--json"]
    again = [tools.liveportal, "sync", str(book.feed), "--ledger", str(book.ledger), "--json"]
    floor = [tools.python, str(Path(__file__).with_name("floor.py")), "--adapted", str(book.feed)]
    return [
        Contestant(
            "liveportal sync", lambda _: argv, before=init_ledger, most=FEW_ROUNDS, patience=60
        ),
        fixed(AGAIN, again, most=FEW_ROUNDS, patience=60),
        fixed(FLOOR, floor, most=FEW_ROUNDS, patience=60),
    ]


def _copy_ledger(ledger: Path, copy: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{copy}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(ledger, copy)
