"""The cost of a read in SQLite statements and steps does not grow with the ledger.

Steps and statements are counted, not timed: they are the same on every machine.
"""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from liveportal.ledger.storage import connection
from tests.kit.large_ledger import Effort, feed, make_ledger, plan, watch_engine, whole_reads
from tests.kit.planned_sessions import SetNow, now
from tests.kit.shell import Shell

pytestmark = pytest.mark.slow

__all__ = ["now"]

FEW, MANY = 3, 60
YEARS = range(2020, 2026)
LITTLE = 3

READS = (
    "",  # The front page.
    "earnings --month 2026-10",
    "earnings months",
    "earnings transactions --month 2026-10",
    "requests list --state open",
    "requests list",
    "requests show R-1",
    "sessions list",
    "sessions list --month 2026-10",
    "sessions upcoming",
    "sessions show S-1",
    "sessions search shader",
    "sessions reviews",
    "refunds list",
    "refunds list --state open",
    "refunds show CL-1",
    "dispute list",
    "payout preview",
    "payout forecast",
    "payout list",
    "payout show PO-1",
    "due",
    "customers list",
    "customers show C-1",
    "policy infer",
)
# Commands that show every entity of a kind must read them all.
OF_EVERYTHING = {
    "": ("claim",),
    "requests list": ("request",),
    "sessions list": ("session",),
    "sessions reviews": ("session", "review", "customer"),
    "refunds list": ("claim",),
    "refunds list --state open": ("claim",),
    "dispute list": ("claim", "dispute"),
    "payout list": ("payout",),
    "customers list": ("customer", "request", "session", "claim"),
    "customers show C-1": ("request", "session", "claim", "review"),
    "refunds show CL-1": ("claim", "dispute", "statement"),  # Counts of past disputes.
    "due": ("claim", "payout"),  # One or two payouts a month.
    "policy infer": ("session", "claim", "payout", "transaction", "reversal"),
    "sessions search shader": ("event_personal",),  # Titles, reasons: few compared with messages.
}
SMALL = (
    *("policy", "preferences", "month_flow", "profile_field", "profile_fact"),
    *("session_alias", "payout_alias"),
)
"""Rows a month, a change of mind, or another name that a platform has for a session or payout."""


class Books(NamedTuple):
    """Books with a few of everything and with many; and a few after six years, quiet or full."""

    few: Path
    many: Path
    quiet: Path
    full: Path


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """Make them once; they are only read."""
    folders = [tmp_path_factory.mktemp(name) for name in Books._fields]
    return Books(
        make_ledger(folders[0], feed(FEW)),
        make_ledger(folders[1], feed(MANY)),
        make_ledger(folders[2], feed(FEW, before=1, years=YEARS)),
        make_ledger(folders[3], feed(FEW, before=MANY, years=YEARS)),
    )


def _effort(shell: Shell, ledger: Path, command: str) -> Effort:
    with watch_engine() as effort:
        shell.ok(*command.split(), "--ledger", ledger)
    return effort


@pytest.fixture
def shell(empty: Shell, now: SetNow) -> Shell:
    """Give a shell on a day when much is due."""
    now("11-04 12:00")
    return empty


@pytest.mark.parametrize("command", READS)
def test_many_entities_take_as_many_statements_as_few(
    shell: Shell, books: Books, command: str
) -> None:
    """A query per entity would be slow for many entities."""
    few, many = (_effort(shell, book, command).statements for book in (books.few, books.many))
    assert few
    assert len(few) == len(many), sorted(set(_shape(many)) - set(_shape(few)))


def _shape(statements: list[str]) -> list[str]:
    return [" ".join(statement.split())[:200] for statement in statements]


@pytest.mark.parametrize("command", READS)
def test_a_read_finds_what_it_shows_by_an_index(shell: Shell, books: Books, command: str) -> None:
    """No table that grows with the ledger is scanned."""
    effort = _effort(shell, books.many, command)
    with closing(connection.open_file(books.many, readonly=True)) as db:
        tables = {
            name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        }
        efforts = {
            (_named(command, statement, tables), command)
            for statement in effort.statements
            if statement.lstrip().upper().startswith(("SELECT", "WITH"))
            for command in whole_reads(plan(db, statement))
        }
    allowed: set[str | None] = {None, *OF_EVERYTHING.get(command, ()), *SMALL}
    assert {pair for pair in efforts if pair[0] not in allowed} == set()


def _named(line: str, statement: str, tables: set[str]) -> str | None:
    """Return the table that a line of a query plan names; None for a statement's own."""
    name = line.split()[1]
    known_as = re.search(rf'"?(\w+)"? AS "?{name}"?\b', statement)
    name = known_as[1] if known_as else name
    return name if name in tables else None


@pytest.mark.parametrize(
    "command",
    [
        "earnings --month 2026-10",
        "earnings transactions --month 2026-10",
        "requests list --state open",
        "requests show R-1",
        "sessions list --month 2026-10",
        "sessions upcoming",
        "sessions show S-1",
    ],
)
def test_a_long_history_is_no_burden(shell: Shell, books: Books, command: str) -> None:
    """However much happened in other years, the engine takes the same steps."""
    quiet, full = (_effort(shell, book, command) for book in (books.quiet, books.full))
    assert len(quiet.statements) == len(full.statements)
    # 354 more sessions; one or two steps for each would show.
    assert abs(full.hundreds - quiet.hundreds) <= LITTLE, (quiet.hundreds, full.hundreds)


def test_a_month_of_long_ago_is_found_as_quickly(shell: Shell, books: Books) -> None:
    """Nor are later events read to calculate the money at risk at its end."""
    quiet, full = (
        _effort(shell, book, "earnings --month 2020-02") for book in (books.quiet, books.full)
    )
    assert abs(full.hundreds - quiet.hundreds) <= LITTLE, (quiet.hundreds, full.hundreds)
