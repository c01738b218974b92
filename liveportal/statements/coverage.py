"""Payouts that the files do not have: missing where the files cover their days, else pending.

A recipient's file cannot show why money did not come, so an absence is only ever reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from liveportal.domain.entities import PayoutState
from liveportal.domain.hint import Hint
from liveportal.statements.findings import MISSING, BookPayout, Finding, MatchRules, payer_of
from liveportal.statements.rows import RowKind, StatementFile
from liveportal.statements.tying import Entry

Span = tuple[date, date]


def absences(
    files: Sequence[StatementFile],
    payouts: Iterable[BookPayout],
    strangers: dict[str, list[Entry]],
    rules: MatchRules,
) -> Iterator[Finding]:
    """Yield the payouts that are missing or pending, of those that were not seen.

    Only files of the payout's own method count. `strangers` are rows that fit a payout, from payers
    that the user did not name.
    """
    covered = _covered(files)
    for payout in payouts:
        spans = covered.get(payout.method.casefold())
        if payout.state != PayoutState.SENT or not spans:
            continue
        first = payout.sent_at.date()
        window = rules.window(payout.method.casefold())
        until, last = first + timedelta(days=window), spans[-1][1]
        if until > last:
            note = f"The files end on {last}; it may take {window} days."
            yield Finding(RowKind.PENDING, payout.amount, payout.currency, payout=payout, note=note)
        elif any(start <= first and until <= end for start, end in spans):
            like = strangers.get(payout.id, [])
            days = (last - first).days
            absent = f"It is not in the files, which end on {last}, {days} days after it was sent."
            yield Finding(
                MISSING,
                payout.amount,
                payout.currency,
                payout=payout,
                candidates=tuple(entry.row.row for entry in like),
                note=_stranger(like[0]) if like else absent,
                days=days,
            )


def _stranger(entry: Entry) -> Hint:
    return Hint(
        "Line {line} has this amount, from {payer}. If that is the platform, add {a_payer}.",
        line=entry.row.line,
        payer=payer_of(entry.row) or "a payer without a name",
    )


def _covered(files: Iterable[StatementFile]) -> dict[str, list[Span]]:
    """Return the spans of days that the files of each provider cover, in order."""
    spans: dict[str, list[tuple[date, date, bool]]] = defaultdict(list)
    for file in files:
        if file.rows:
            days = [row.day for row in file.rows]
            joins = [proof for proof in file.proofs if proof.proof == "joins"]
            is_joined = any(proof.rows and proof.rows == proof.proved for proof in joins)
            spans[file.provider].append((min(days), max(days), is_joined))
    return {provider: _merged(sorted(each)) for provider, each in spans.items()}


def _merged(spans: Iterable[tuple[date, date, bool]]) -> list[Span]:
    """Join spans that meet, day by day or by their balances."""
    merged: list[Span] = []
    for first, last, is_joined in spans:
        if merged and (is_joined or first <= merged[-1][1] + timedelta(days=1)):
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
