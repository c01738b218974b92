"""The book's months, compared with what hledger, Ledger or Beancount make of its export.

The installed program reads a private temporary file in a clean environment, so that no setting of
the user changes its answer.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from tempfile import TemporaryDirectory

from liveportal.domain.accounts import Account
from liveportal.domain.errors import NotInstalled, ProgramFailed
from liveportal.domain.frozen import frozen
from liveportal.domain.ledger_entries import BookSpan
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row
from liveportal.domain.text import clean
from liveportal.exports.plain_text import DIALECTS, beancount, counted, lines
from liveportal.ledger.queries import ledger_entries
from liveportal.ledger.queries.reader import Reader

Changes = Mapping[tuple[str, str], Decimal]
"""The change of each account in each month, by month and account."""


@row
class DifferingRow(Row):
    """A month in which an account changed by another amount in the other program's view."""

    month: str
    account: str
    ours: str
    theirs: str
    currency: str


@frozen
class Comparison:
    """What a program made of a book: its own name and version, and what differs."""

    version: str
    months: int
    accounts: int
    differences: tuple[DifferingRow, ...]


@frozen
class Program:
    """An accounting program: how to run it, and how to read its answer.

    `query` returns the arguments that make it print the change of every account in every month of
    a file; `read` returns the changes that such a text states.
    """

    executable: str
    package: str
    query: Callable[[str], list[str]]
    read: Callable[[str], Iterable[tuple[str, str, str]]]
    check: tuple[str, ...] = ()


def compare(
    reader: Reader, name: str, first: str, last: str, advance: Callable[[int], None]
) -> Comparison:
    """Compare each month from `first` to `last` with what the program `name` calculates.

    `advance` is called with the number of transactions as they are exported. Raises `NotInstalled`
    and `ProgramFailed`.
    """
    program = PROGRAMS[name]
    executable = _installed(program, program.executable)
    span = ledger_entries.book_span(reader, first, last)
    ours = _our_changes(reader, span)
    with TemporaryDirectory(prefix="liveportal-") as folder:
        book = Path(folder, f"book.{name}")
        with book.open("x", encoding="utf-8", newline="\n") as stream:
            entries = ledger_entries.entries(reader, span.months)
            for line in lines(DIALECTS[name], span, counted(entries, advance)):
                stream.write(f"{line}\n")
        version = _run([executable, "--version"], folder).partition("\n")[0].strip()
        if program.check:
            _run([_installed(program, program.check[0]), *program.check[1:], str(book)], folder)
        answer = _run([executable, *program.query(str(book))], folder)
    theirs = _their_changes(program, answer, span)
    return Comparison(
        version=clean(version),
        months=len(span.months),
        accounts=len({account for _, account in ours}),
        differences=tuple(_differences(ours, theirs, span)),
    )


def _our_changes(reader: Reader, span: BookSpan) -> Changes:
    first, last = (span.months[0], span.months[-1]) if span.months else ("", "")
    changes: dict[tuple[str, str], int] = {}
    for flow in reader.all(
        "SELECT period, debit, credit, amount FROM month_flow WHERE period BETWEEN ? AND ?",
        first,
        last,
    ):
        for account, sign in ((flow["debit"], 1), (flow["credit"], -1)):
            key = (flow["period"], account)
            changes[key] = changes.get(key, 0) + sign * flow["amount"]
    return {key: _decimal(str(Money(minor, span.currency))) for key, minor in changes.items()}


def _their_changes(program: Program, answer: str, span: BookSpan) -> Changes:
    changes: dict[tuple[str, str], Decimal] = {}
    for month, account, quantity in program.read(answer):
        changes[month, account] = changes.get((month, account), Decimal(0)) + _decimal(quantity)
    for account, minor in span.opening.items():  # The entry that opens an account is no change.
        key = (span.first_day.isoformat()[:7], str(account))
        opened = _decimal(str(Money(minor, span.currency)))
        changes[key] = changes.get(key, Decimal(0)) - opened
    return changes


def _differences(ours: Changes, theirs: Changes, span: BookSpan) -> Iterator[DifferingRow]:
    accounts = set(map(str, Account))
    for month, account in sorted({*ours, *theirs}):
        mine, other = ours.get((month, account), 0), theirs.get((month, account), 0)
        if mine != other and account in accounts:
            yield DifferingRow(
                month=month,
                account=account,
                ours=f"{mine:f}",
                theirs=f"{other:f}",
                currency=span.currency,
            )


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise ProgramFailed(
            f"The program returned {clean(text)[:40]!r} instead of an amount."
        ) from None


# --- running a program ----------------------------------------------------------------------------


def _installed(program: Program, executable: str) -> str:
    path = shutil.which(executable)
    if path is None:
        raise NotInstalled(
            f"{executable} is not installed.",
            hint=f"Install the package {program.package}, then try again.",
            program=executable,
            package=program.package,
        )
    return path


def _run(command: list[str], folder: str) -> str:
    """Run a program without the user's settings, and return what it printed."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": folder,
        "LC_ALL": "C.UTF-8",  # hledger refuses text that is not ASCII in the plain C locale.
    }
    result = subprocess.run(  # noqa: S603 -- A list of arguments, and files of our own making.
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if result.returncode:
        said = result.stderr.decode(errors="replace").strip() or "nothing"
        raise ProgramFailed(
            f"{Path(command[0]).name} ended with exit code {result.returncode}.",
            hint=f"It said: {clean(said)[:400]}",
            program=Path(command[0]).name,
        )
    return result.stdout.decode()


# --- what each program is asked, and how it answers -----------------------------------------------


def _read_hledger(answer: str) -> Iterator[tuple[str, str, str]]:
    heading, *rows = csv.reader(answer.splitlines())
    for account, _commodity, *quantities in rows:
        for month, quantity in zip(heading[2:], quantities, strict=True):
            yield month[:7], account, quantity


def _read_ledger(answer: str) -> Iterator[tuple[str, str, str]]:
    for line in answer.splitlines():
        month, account, quantity = line.split(" ")
        yield month, account, quantity


def _read_beancount(answer: str) -> Iterator[tuple[str, str, str]]:
    spelled = {beancount.account(name): str(name) for name in Account}
    _heading, *rows = csv.reader(answer.splitlines())
    for year, month, account, quantity in rows:
        name = spelled.get(account.strip(), account.strip())
        yield f"{int(year):04d}-{int(month):02d}", name, quantity


_LEDGER_FORMAT = '%(format_date(date, "%Y-%m")) %(account) %(quantity(scrub(display_amount)))\\n'
_BEANCOUNT_QUERY = (
    "SELECT year, month, account, sum(number) GROUP BY year, month, account"
    " ORDER BY year, month, account"
)
PROGRAMS = {
    "hledger": Program(
        executable="hledger",
        package="hledger",
        query=lambda book: [
            *("-f", book, "balance", "--monthly", "--layout", "bare"),
            *("--output-format", "csv", "--no-total"),
        ],
        read=_read_hledger,
    ),
    "ledger": Program(
        executable="ledger",
        package="ledger",
        query=lambda book: [
            *("--args-only", "--pedantic", "-f", book, "--monthly", "register"),
            *("--format", _LEDGER_FORMAT),
        ],
        read=_read_ledger,
    ),
    "beancount": Program(
        executable="bean-query",
        package="beancount beanquery",
        query=lambda book: ["--format", "csv", book, _BEANCOUNT_QUERY],
        read=_read_beancount,
        check=("bean-check",),
    ),
}
"""The programs, by the name of their dialect."""
