"""Export a ledger's transactions to the plain text formats of other accounting programs.

One file is for hledger and ledger, which read the same format, and one for beancount, whose account
names begin with capitals and must be opened first. A transaction with several transfers is one
entry with the legs of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, TextIO

from liveportal.ledger.opening import open_readonly

_LEGS = """
    SELECT entry.id, substr(entry.time, 1, 10), entry.kind, coalesce(entry.session, ''),
           account, sum(amount)
    FROM "transaction" AS entry JOIN posting ON posting."transaction" = entry.id
    GROUP BY entry.id, account HAVING sum(amount) <> 0
    ORDER BY entry.id
"""


class Entry(NamedTuple):
    """One transaction: its date, a title, and its legs in signed cents."""

    day: str
    title: str
    legs: tuple[tuple[str, int], ...]


def entries(ledger: Path) -> Iterator[Entry]:
    """Yield the transactions of a ledger, in order."""
    with open_readonly(ledger) as reader:
        for _, legs in groupby(reader.db.execute(_LEGS), key=lambda leg: leg[0]):
            entry_legs = list(legs)
            _, day, kind, session, _, _ = entry_legs[0]
            title = f"{kind} {session}".rstrip()
            yield Entry(day, title, tuple((account, cents) for *_, account, cents in entry_legs))


def write_journals(ledger: Path, plain: Path, beancount: Path) -> None:
    """Write a ledger's transactions for hledger and ledger, and for beancount."""
    with (
        plain.open("w", encoding="utf-8") as for_ledger,
        beancount.open("w", encoding="utf-8") as for_beancount,
    ):
        opened: set[str] = set()
        for entry in entries(ledger):
            _write_plain(entry, for_ledger)
            _write_beancount(entry, for_beancount, opened)


def _write_plain(entry: Entry, file: TextIO) -> None:
    file.write(f"{entry.day} {entry.title}\n")
    file.writelines(f"    {account}  {_dollars(cents)} USD\n" for account, cents in entry.legs)
    file.write("\n")


def _write_beancount(entry: Entry, file: TextIO, opened: set[str]) -> None:
    for account, _ in entry.legs:
        if account not in opened:
            opened.add(account)
            file.write(f"2000-01-01 open {_beancount_account(account)} USD\n")
    file.write(f'{entry.day} * "{entry.title}"\n')
    file.writelines(
        f"  {_beancount_account(account)}  {_dollars(c)} USD\n" for account, c in entry.legs
    )
    file.write("\n")


def _beancount_account(account: str) -> str:
    return ":".join(part.title() for part in account.split(":"))


def _dollars(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole}.{rest:02d}"
