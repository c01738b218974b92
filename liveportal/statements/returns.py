"""Rows that follow an arrival: its fees, holds, and money that went back.

A row follows an arrival if its parent is that row, or a row that follows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from liveportal.domain.entities import PayoutState
from liveportal.domain.errors import UnknownRow
from liveportal.statements.findings import BookPayout, Finding, MatchRules, payer_of, shown
from liveportal.statements.rows import Meaning, RowKind, StatementRow
from liveportal.statements.tying import Entry

Key = tuple[str, str]
"""A provider, and its id of a row."""


class Arrival(NamedTuple):
    """A payout that arrived, with the amount and currency of its row.

    `is_paid` is True if the books say so, or will once the findings are recorded.
    """

    payout: BookPayout
    amount: int
    currency: str
    is_paid: bool


class Follower(NamedTuple):
    """A row that follows an arrival, with its kind and, if money went back, the finding."""

    entry: Entry
    kind: RowKind
    finding: Finding | None = None


class Followers(NamedTuple):
    """The rows that follow arrivals, and the payouts that the provider holds back."""

    rows: list[Follower]
    on_hold: frozenset[str]


def followers(
    entries: Iterable[Entry], arrivals: Mapping[Key, Arrival], rules: MatchRules
) -> Followers:
    """Return the rows that follow arrivals.

    Raises `UnknownRow` for a debit of an unlisted type, unless `rules.unproved`.
    """
    rows: list[Follower] = []
    held: dict[str, int] = defaultdict(int)
    back: dict[str, list[Entry]] = defaultdict(list)
    arrival_of: dict[str, Arrival] = {}
    for entry, arrival in _followed(entries, arrivals):
        meaning, amount = entry.row.meaning, entry.row.amount
        name = arrival.payout.id
        if meaning in (Meaning.HOLD, Meaning.RELEASE):
            held[name] += amount
        elif meaning == Meaning.FEE:
            rows.append(Follower(entry, RowKind.FEE))
        elif meaning == Meaning.RETURN or (meaning == Meaning.PAYMENT and amount < 0):
            arrival_of[name] = arrival
            back[name].append(entry)
        elif meaning == Meaning.UNLISTED and amount < 0:
            if not rules.unproved:
                raise _unknown(entry, arrival.payout)
            rows.append(Follower(entry, RowKind.UNRECOGNISED))
    for name, given_back in back.items():
        rows.extend(_given_back(given_back, arrival_of[name]))
    return Followers(rows, frozenset(name for name, amount in held.items() if amount < 0))


def _followed(
    entries: Iterable[Entry], arrivals: Mapping[Key, Arrival]
) -> list[tuple[Entry, Arrival]]:
    """Return the rows that follow an arrival, directly or by other rows, each with the arrival."""
    owners, found = dict(arrivals), []
    waiting = [entry for entry in entries if entry.row.parent and entry.key not in arrivals]
    while waiting:
        rest = []
        for entry in waiting:
            owner = owners.get((entry.file.provider, entry.row.parent or ""))
            if owner is None:
                rest.append(entry)
            else:
                owners.setdefault(entry.key, owner)
                found.append((entry, owner))
        if len(rest) == len(waiting):
            break
        waiting = rest
    return found


def _unknown(entry: Entry, payout: BookPayout) -> UnknownRow:
    row = entry.row
    return UnknownRow(
        f"{entry.file.name}, line {row.line}: money of payout {payout.id} went out again, and the"
        f" type {row.type!r} is not known.",
        file=entry.file.name,
        line=row.line,
        type=row.type,
        payout=payout.id,
    )


def _given_back(entries: Sequence[Entry], arrival: Arrival) -> list[Follower]:
    """Return what went back of an arrival: all at once, or else a part."""
    entry = entries[0]
    is_whole = (entry.row.amount, entry.row.currency) == (-arrival.amount, arrival.currency)
    if len(entries) == 1 and is_whole:
        return [Follower(entry, RowKind.RETURNED, _returned(entry, arrival))]
    return [
        Follower(each, RowKind.PARTLY_RETURNED, _partly_returned(each, arrival)) for each in entries
    ]


def _returned(entry: Entry, arrival: Arrival) -> Finding:
    payout, row = arrival.payout, entry.row
    in_book_currency = row.currency == payout.currency
    note = None
    if payout.state == PayoutState.RETURNED:
        note = "The books have this return already."
    elif not arrival.is_paid:
        note = "The books do not say that it arrived, so its return cannot be recorded."
    return Finding(
        RowKind.RETURNED,
        payout.amount,
        payout.currency,
        payout=payout,
        file=entry.file,
        row=row,
        debited=-moved(row) if in_book_currency else None,
        payer=payer_of(row),
        note=note,
        is_new=arrival.is_paid and payout.state != PayoutState.RETURNED,
    )


def _partly_returned(entry: Entry, arrival: Arrival) -> Finding:
    payout, row = arrival.payout, entry.row
    what = "went back" if row.amount < 0 else "came again after a return"
    return Finding(
        RowKind.PARTLY_RETURNED,
        abs(row.amount),
        row.currency,
        payout=payout,
        file=entry.file,
        row=row,
        payer=payer_of(row),
        note=f"{shown(abs(row.amount), row.currency)} of {shown(arrival.amount, arrival.currency)}"
        f" {what}. This is not recorded.",
    )


def moved(row: StatementRow) -> int:
    """Return what a row changed the account by: its net amount."""
    return row.net if row.net is not None else row.amount + (row.fee or 0)
