"""Notes about what could explain a missing payout, or unknown money: they are never recorded.

Two payouts may come as one payment, one as two, or less than was sent. None of these is certain, so
the notes only say where to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from liveportal.domain.frozen import replace
from liveportal.domain.hint import Hint
from liveportal.statements.findings import MISSING, Finding, MatchRules, shown
from liveportal.statements.rows import RowKind
from liveportal.statements.tying import Entry, is_timely

MOST = 40
"""The most findings of each side that are looked at: pairs grow with the square."""
_NEAR_PERCENT = 90


def with_suggestions(findings: Sequence[Finding], rules: MatchRules) -> list[Finding]:
    """Return the findings, with notes where sums or a slightly smaller amount fit."""
    missing = [each for each in findings if each.finding == MISSING and not each.candidates]
    unknown = [each for each in findings if each.finding == RowKind.UNKNOWN]
    if not 0 < len(missing) <= MOST or not 0 < len(unknown) <= MOST:
        return list(findings)
    better: dict[int, Finding] = {}
    for each in missing:
        near = [other for other in unknown if _fits(each, other, rules)]
        better[id(each)] = _from_rows(each, near)
    for each in unknown:
        near = [other for other in missing if _fits(other, each, rules)]
        better[id(each)] = _from_payouts(each, near)
    return [better.get(id(each), each) for each in findings]


def _fits(payout: Finding, row: Finding, rules: MatchRules) -> bool:
    if payout.payout is None or row.row is None or row.file is None:
        return False
    same = payout.currency == row.currency
    return same and is_timely(payout.payout, Entry(row.file, row.row, 0), rules)


def _pair_of(amount: int, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the first two findings that add up to an amount; empty if no two do."""
    pairs = combinations(findings, 2)
    return next((pair for pair in pairs if sum(each.amount for each in pair) == amount), ())


def _from_rows(missing: Finding, near: Sequence[Finding]) -> Finding:
    pair = _pair_of(missing.amount, near)
    if pair:
        lines = " and ".join(str(each.row.line) for each in pair if each.row)
        note = Hint("Lines {lines} add up to it. Sums are not recorded.", lines=lines)
        return replace(missing, candidates=_rows(pair), note=note)
    least = missing.amount * _NEAR_PERCENT
    less = [each for each in near if least <= each.amount * 100 and each.amount < missing.amount]
    if len(less) == 1 and less[0].row:
        note = Hint(
            "Line {line}, from a payer whom you named, has {amount}. If it is this: {a_pair}.",
            line=less[0].row.line,
            amount=shown(less[0].amount, less[0].currency),
        )
        return replace(missing, candidates=_rows(less), note=note)
    return missing


def _from_payouts(unknown: Finding, near: Sequence[Finding]) -> Finding:
    pair = _pair_of(unknown.amount, near)
    if not pair or unknown.note is not None:
        return unknown
    names = " and ".join(each.payout.id for each in pair if each.payout)
    note = Hint("It is the sum of {names}. Sums are not recorded.", names=names)
    return replace(
        unknown, candidates=tuple(each.payout.id for each in pair if each.payout), note=note
    )


def _rows(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(each.row.row for each in findings if each.row)
