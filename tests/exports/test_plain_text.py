"""A book as a plain-text ledger: what each program reads, and what text from outside may not do."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liveportal.domain.accounts import Account
from liveportal.domain.errors import NotInstalled, ProgramFailed
from liveportal.domain.frozen import replace
from liveportal.domain.ledger_entries import LedgerEntry, posting_day
from liveportal.domain.money import digits_of
from liveportal.exports.plain_text import DIALECTS, lines
from liveportal.exports.plain_text.beancount import account, link
from liveportal.ledger.queries import ledger_entries
from liveportal.ledger.queries.earnings import FIRST, LAST
from liveportal.services.accounting_programs import PROGRAMS, compare
from tests.kit import quick_ledgers as ledgers
from tests.properties.author import Book
from tests.properties.trial import BOOKS, seeds

HOSTILE = (
    '"; \\" (x) [2026-01-01]',
    "a\nb\r\n\tassets:bank  1000000 USD",
    "note ; foo:: system('id')",
    "\u202egnp.exe \x1b[2J\x00\x85\u2028",
    "* ! (unclosed | payee, tag:value",
    "include /etc/passwd",
    "🦊" * 300,
)


PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
"""Beancount is installed beside Python, which need not be on the user's PATH."""


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", PATH)


def installed(name: str) -> pytest.MarkDecorator:
    """Return the mark that skips a test of a program which is not installed."""
    needed = [PROGRAMS[name].executable, *PROGRAMS[name].check]
    missing = [program for program in needed if not shutil.which(program, path=PATH)]
    return pytest.mark.skipif(bool(missing), reason=f"{name} is not installed")


NAMES = [pytest.param(name, marks=installed(name)) for name in PROGRAMS]


def entry(title: str = "", **changed: object) -> LedgerEntry:
    """Return an earning."""
    values: dict[str, object] = {
        "number": 7,
        "seq": 9,
        "event": "e1",
        "source": "https://help.example/experts/9",
        "kind": "earning",
        "time": datetime(2026, 3, 1, 11, tzinfo=UTC),
        "day": date(2026, 2, 28),
        "own_day": date(2026, 3, 1),
        "ids": {"session": "S:1"},
        "postings": ((Account.PLATFORM, 4200), (Account.FEE, 1800), (Account.SESSIONS, -6000)),
        "title": title,
    }
    return LedgerEntry(**{**values, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", range(2))
@pytest.mark.slow
def test_random_books_agree(name: str, part: int) -> None:
    """Every month and account, in several currencies; from any month on; titles change nothing."""
    digits = set()
    quick = 5 if name == "beancount" else 1  # It takes half a second for each file.
    for seed in seeds(0, max(BOOKS // quick // 2, 12))[part::2]:
        book = Book.of(Random(seed), 8 + seed % 40)  # noqa: S311
        with ledgers.recorded(book.events) as db:
            reader = ledgers.reader(db)
            digits.add(digits_of(reader.currency))
            months = ledger_entries.book_span(reader, FIRST, LAST).months
            for first in {FIRST, *months[-1:]}:
                result = compare(reader, name, first, LAST, lambda _: None)
                assert not result.differences
                assert result.months == sum(month >= first for month in months)
    assert digits >= {0, 2, 3}


@pytest.mark.parametrize("name", NAMES)
def test_a_book_agrees(name: str) -> None:
    """The same with one book, quickly."""
    with ledgers.recorded(Book.of(Random(3), 30).events) as db:  # noqa: S311
        assert not compare(ledgers.reader(db), name, FIRST, LAST, lambda _: None).differences


@pytest.mark.parametrize("name", NAMES)
def test_another_amount_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison that could not fail would prove nothing."""

    def one_more(*args: object, **options: object) -> object:
        changed = False
        for made in real(*args, **options):  # type: ignore[arg-type]
            if not changed and made.postings:
                (first, minor), (second, other), *rest = made.postings
                postings = ((first, minor + 1), (second, other - 1), *rest)
                made, changed = replace(made, postings=postings), True  # noqa: PLW2901
            yield made

    real = ledger_entries.entries
    monkeypatch.setattr(ledger_entries, "entries", one_more)
    # Beancount checks the balances of a month's end itself.
    with ledgers.recorded(Book.of(Random(3), 30).events) as db, suppress(ProgramFailed):  # noqa: S311
        assert compare(ledgers.reader(db), name, FIRST, LAST, lambda _: None).differences


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the package to install."""
    monkeypatch.setenv("PATH", "")
    with ledgers.empty_ledger() as db, pytest.raises(NotInstalled, match="hledger") as error:
        compare(ledgers.reader(db), "hledger", FIRST, LAST, lambda _: None)
    assert error.value.details["package"]
    assert error.value.hint


@pytest.mark.parametrize("name", DIALECTS)
@given(title=st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE)))
@settings(max_examples=60)
def test_text_from_outside_is_one_harmless_line(name: str, title: str) -> None:
    """Whatever a title holds, the entry has the same lines, but for the words of the first."""
    plain = list(DIALECTS[name].entry(entry(), "USD"))
    first, *rest = DIALECTS[name].entry(entry(title), "USD")
    assert rest == plain[1:]
    assert len(first.splitlines()) == 1
    assert first.startswith(plain[0][: plain[0].index("earning S:1") + len("earning S:1")])
    assert name == "beancount" or not {";", "|", "\t"} & set(first)


@pytest.mark.parametrize("name", ["hledger", "ledger"])
@pytest.mark.parametrize("value", [*HOSTILE, "a,b", "x::y", "[2026-01-01]", "100 %"])
def test_tags_hold_any_id(name: str, value: str) -> None:
    """Commas, brackets, spaces and `::` would end a tag, date a posting or run an expression."""
    made = list(DIALECTS[name].entry(entry(event=value), "USD"))
    (tag,) = [line for line in made if "; event:" in line]
    assert not {",", "[", "]", "\n", ";"} & set(tag.partition("event:")[2])
    assert "::" not in tag


def test_an_id_becomes_a_link() -> None:
    """A colon is not allowed in a link; a slash is, and is in no id."""
    assert link("S:1.a_b-c") == "S/1.a_b-c"
    assert account("assets:platform") == "Assets:Platform:Owed"
    assert account("expenses:platform-fee") == "Expenses:Platform-Fee"


@pytest.mark.parametrize(
    ("own_day", "period", "expected"),
    [
        (date(2026, 2, 14), "2026-02", date(2026, 2, 14)),
        (date(2026, 3, 1), "2026-02", date(2026, 2, 28)),
        (date(2026, 1, 31), "2026-02", date(2026, 2, 1)),
        (date(9999, 12, 31), "9999-12", date(9999, 12, 31)),
    ],
)
def test_an_entry_is_dated_in_its_month(own_day: date, period: str, expected: date) -> None:
    """The month in which it counts; its own day stands beside, where it is another one."""
    assert posting_day(own_day, period) == expected


def test_a_book_without_transactions_is_whole() -> None:
    """Its accounts are declared, and nothing else."""
    with ledgers.empty_ledger() as db:
        reader = ledgers.reader(db)
        span = ledger_entries.book_span(reader, FIRST, LAST)
        for dialect in DIALECTS.values():
            text = "\n".join(lines(dialect, span, ledger_entries.entries(reader, span.months)))
            assert "expenses:platform-fee" in text.lower()
            assert "*" not in text
