"""Tie rows to payouts: by reference, else by payer, amount and date, and only without a doubt.

A tie needs to be unique both ways: the payout fits one row, and the row fits one payout. Whatever
is not is a doubt, with everything that it could be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from liveportal.domain.entities import PayoutState
from liveportal.domain.patterns import pattern
from liveportal.statements.findings import BookPayout, MatchRules
from liveportal.statements.rows import Meaning, StatementFile, StatementRow

CREDITS = (Meaning.PAYMENT, Meaning.OTHER, Meaning.UNLISTED)
"""What a row may mean that pays a payout, if money arrived with it."""
LEAST_REFERENCE = 4
"""A shorter reference, or one without a digit, ties a row only with the payout's own amount."""
_EARLIEST = timedelta(days=-1)
_WORD = pattern(r"[^\s,;:()\[\]{}<>\"'/|#=]+")


class Entry(NamedTuple):
    """A row, with its file and its position among all rows of all files."""

    file: StatementFile
    row: StatementRow
    position: int

    @property
    def key(self) -> tuple[str, str]:
        """The provider and its id of the row."""
        return self.file.provider, self.row.row


class Tie(NamedTuple):
    """A payout and the row with which it arrived."""

    payout: BookPayout
    entry: Entry


class Doubt(NamedTuple):
    """Payouts and rows that fit each other in more than one way, or without a named payer."""

    payouts: tuple[BookPayout, ...]
    entries: tuple[Entry, ...]
    needs_payer: bool = False


class Tied(NamedTuple):
    """What was tied, what is in doubt, and rows that fit a payout but are of unnamed payers."""

    ties: list[Tie]
    doubts: list[Doubt]
    strangers: dict[str, list[Entry]]


class _Edge(NamedTuple):
    payout: BookPayout
    entry: Entry
    is_exact: bool = True
    is_timely: bool = True
    is_named: bool = True


def tie(
    payouts: Sequence[BookPayout], arrived: Sequence[Entry], rules: MatchRules, ties: Iterable[Tie]
) -> Tied:
    """Tie rows that brought money to payouts; `ties` are those that the user made."""
    tied = Tied(list(ties), [], {})
    _by_reference(tied, payouts, arrived, rules)
    _by_amount(tied, payouts, arrived, rules)
    return tied


def is_timely(payout: BookPayout, entry: Entry, rules: MatchRules) -> bool:
    """Return True if a row is within the days in which a payout arrives."""
    sent = payout.sent_at.date()
    window = timedelta(days=rules.window(entry.file.provider))
    return _EARLIEST <= entry.row.day - sent <= window


class _Reference(NamedTuple):
    """A payout's reference or id as whole words, and whether it is clear enough by itself."""

    words: str
    payout: BookPayout
    is_clear: bool


def _references(payouts: Iterable[BookPayout]) -> dict[str, list[_Reference]]:
    """Return the references of payouts by their first word."""
    index: dict[str, list[_Reference]] = defaultdict(list)
    for payout in payouts:
        for text in dict.fromkeys((payout.id, *payout.aliases, payout.reference or "")):
            if words := _words(text):
                is_clear = len(text) >= LEAST_REFERENCE and any(map(str.isdigit, text))
                index[words[0]].append(_Reference(_spaced(words), payout, is_clear))
    return index


def _referred(index: Mapping[str, Sequence[_Reference]], row: StatementRow) -> Iterator[_Reference]:
    """Yield the references that are whole words of a row's texts."""
    for text in (row.row, row.parent, *row.references):
        words = dict.fromkeys(_words(text)) if text else ()
        near = [reference for word in words for reference in index.get(word, ())]
        whole = _spaced(_words(text)) if near and text else ""
        yield from (reference for reference in near if reference.words in whole)


def _words(text: str) -> list[str]:
    return [word.rstrip(".!?") for word in _WORD.findall(text)]


def _spaced(words: Iterable[str]) -> str:
    return f" {' '.join(words)} "


def _by_reference(
    tied: Tied, payouts: Sequence[BookPayout], arrived: Sequence[Entry], rules: MatchRules
) -> None:
    index, edges = _references(payouts), []
    for entry in arrived:
        for _, payout, is_clear in _referred(index, entry.row):
            is_exact = (payout.amount, payout.currency) == (entry.row.amount, entry.row.currency)
            if is_exact or is_clear:
                edges.append(_Edge(payout, entry, is_exact, is_timely(payout, entry, rules)))
    # The clearest first: what they tie is out of the question for the others.
    _tie_unique(tied, (edge for edge in edges if edge.is_exact and edge.is_timely))
    _tie_unique(tied, (edge for edge in edges if edge.is_exact))
    _tie_unique(tied, edges)
    tied.doubts.extend(_doubts(_open(tied, edges)))


def _by_amount(
    tied: Tied, payouts: Sequence[BookPayout], arrived: Sequence[Entry], rules: MatchRules
) -> None:
    doubtful = {payout.id for doubt in tied.doubts for payout in doubt.payouts}
    by_amount: dict[tuple[int, str], list[BookPayout]] = defaultdict(list)
    for payout in payouts:
        if payout.id not in doubtful and payout.state != PayoutState.FAILED:
            by_amount[payout.amount, payout.currency].append(payout)
    edges = [
        _Edge(payout, entry, is_named=rules.named_payer(entry.row) is not None)
        for entry in arrived
        for payout in by_amount.get((entry.row.amount, entry.row.currency), ())
        if is_timely(payout, entry, rules)
    ]
    edges = _open(tied, edges)
    named = [edge for edge in edges if edge.is_named]
    _tie_unique(tied, named)
    tied.doubts.extend(_doubts(_open(tied, named)))
    others = _open(tied, (edge for edge in edges if not edge.is_named))
    if not rules.payers:
        tied.doubts.extend(doubt._replace(needs_payer=True) for doubt in _doubts(others))
        return
    for edge in sorted(others, key=lambda edge: _place(edge.entry)):
        tied.strangers.setdefault(edge.payout.id, []).append(edge.entry)


def _place(entry: Entry) -> tuple[object, ...]:
    """Return the place of a row in time, whatever the order of the files is."""
    return entry.row.day, entry.row.row


def _open(tied: Tied, edges: Iterable[_Edge]) -> list[_Edge]:
    """Return the edges of which neither end is tied or in doubt."""
    payouts = {tie.payout.id for tie in tied.ties}
    payouts.update(payout.id for doubt in tied.doubts for payout in doubt.payouts)
    taken = {tie.entry.position for tie in tied.ties}
    taken.update(entry.position for doubt in tied.doubts for entry in doubt.entries)
    return [
        edge for edge in edges if edge.payout.id not in payouts and edge.entry.position not in taken
    ]


def _tie_unique(tied: Tied, edges: Iterable[_Edge]) -> None:
    """Tie each payout and row of which each fits only the other."""
    rows_of: dict[str, dict[int, Entry]] = defaultdict(dict)
    payouts_of: dict[int, dict[str, BookPayout]] = defaultdict(dict)
    for edge in _open(tied, edges):
        rows_of[edge.payout.id][edge.entry.position] = edge.entry
        payouts_of[edge.entry.position][edge.payout.id] = edge.payout
    for rows in rows_of.values():
        (entry, *others) = rows.values()
        (payout, *more) = payouts_of[entry.position].values()
        if not others and not more:
            tied.ties.append(Tie(payout, entry))


def _doubts(edges: Iterable[_Edge]) -> Iterator[Doubt]:
    """Yield the groups of payouts and rows that belong together, edge by edge."""
    payouts: dict[str, BookPayout] = {}
    entries: dict[int, Entry] = {}
    beside: dict[str | int, list[str | int]] = defaultdict(list)
    for payout, entry, *_ in edges:
        payouts[payout.id], entries[entry.position] = payout, entry
        beside[payout.id].append(entry.position)
        beside[entry.position].append(payout.id)
    while beside:
        group, waiting = set[str | int](), [next(iter(beside))]
        while waiting:
            if (end := waiting.pop()) not in group:
                group.add(end)
                waiting.extend(beside.pop(end))
        yield Doubt(
            tuple(
                sorted(
                    (payout for name, payout in payouts.items() if name in group),
                    key=lambda payout: (payout.sent_at, payout.id),
                )
            ),
            tuple(
                sorted(
                    (entry for position, entry in entries.items() if position in group),
                    key=_place,
                )
            ),
        )
