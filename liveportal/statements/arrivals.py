"""What is reported of a row that is tied to a payout, or that could be one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from liveportal.domain.entities import PayoutState
from liveportal.domain.frozen import replace
from liveportal.domain.hint import Hint
from liveportal.statements.findings import BookPayout, Finding, MatchRules, payer_of, shown
from liveportal.statements.returns import moved
from liveportal.statements.rows import RowKind
from liveportal.statements.tying import Doubt, Entry, Tie


def arrival(tie: Tie, separate_fee: int, rules: MatchRules) -> Finding:
    """Return whether a payout arrived whole with its row, and with which fee.

    `separate_fee` is the sum of the fees that are rows of their own: negative if one was taken.
    """
    payout, row = tie.payout, tie.entry.row
    received = moved(row) + separate_fee
    found = Finding(
        RowKind.ARRIVED,
        payout.amount,
        payout.currency,
        payout=payout,
        file=tie.entry.file,
        row=row,
        received=received,
        received_currency=row.currency,
        payer=payer_of(row, rules.named_payer(row)),
        is_new=payout.state in (PayoutState.SENT, PayoutState.PAID),
    )
    if payout.state == PayoutState.FAILED:
        return _differs(
            found, Hint("The books say that this payout failed. Reverse that first: {a_reversal}.")
        )
    if row.currency != payout.currency:
        return replace(found, note=f"It arrived as {shown(received, row.currency)}.")
    if row.amount > payout.amount or received > payout.amount:
        more = shown(max(row.amount, received) - payout.amount, payout.currency)
        return _differs(found, f"{more} more arrived than was sent.")
    if row.amount < payout.amount and not rules.short_is_fee:
        return _short(found, payout.amount - row.amount)
    found = _with_fee(found, payout, _fee(tie, received))
    if payout.state == PayoutState.RETURNED and found.note is None:
        return replace(found, note="The books have its arrival, and its return.")
    return found


def _fee(tie: Tie, received: int) -> int | None:
    """Return what was taken on the way; None where the file shows only what was sent."""
    row = tie.entry.row
    is_stated = row.fee is not None or row.net is not None or row.gross is None
    return tie.payout.amount - received if is_stated else None


def _short(found: Finding, less: int) -> Finding:
    note = Hint(
        "It is {less} short, and no fee in the file explains that. If it was one, add"
        " {short_is_fee}.",
        less=shown(less, found.currency),
    )
    return replace(found, finding=RowKind.SHORT, note=note, is_new=False)


def _with_fee(found: Finding, payout: BookPayout, fee: int | None) -> Finding:
    if fee is not None and payout.fee not in (None, fee):
        known = shown(payout.fee or 0, payout.currency)
        return _differs(replace(found, fee=fee), f"The books have a fee of {known}.")
    return replace(found, fee=fee, received=None if fee is None else found.received)


def _differs(found: Finding, note: Hint | str) -> Finding:
    return replace(found, finding=RowKind.DIFFERS, note=note, is_new=False)


def on_hold(found: Finding) -> Finding:
    """Return the finding about an arrival that the provider holds back."""
    held = "The provider holds it back for now."
    note = f"{found.note} {held}" if isinstance(found.note, str) else found.note or held
    return replace(found, note=note)


def unknown(entry: Entry, separate_fee: int, payer: str, book_currency: str) -> Finding:
    """Return the finding about money of a named payer that the books do not know."""
    row = entry.row
    received = moved(row) + separate_fee
    in_book_currency = row.currency == book_currency
    note = None if in_book_currency else f"Only amounts in {book_currency} can be recorded."
    return Finding(
        RowKind.UNKNOWN,
        row.amount,
        row.currency,
        file=entry.file,
        row=row,
        fee=row.amount - received,
        received=received,
        received_currency=row.currency,
        payer=payer_of(row, payer),
        note=note,
        is_new=in_book_currency and 0 <= received <= row.amount,
    )


def in_doubt(doubt: Doubt, rules: MatchRules) -> Iterator[Finding]:
    """Yield a finding for each payout in doubt or, if several could be one row, for the row."""
    one_row = doubt.entries[0] if len(doubt.entries) == 1 else None
    one_payout = doubt.payouts[0] if len(doubt.payouts) == 1 else None
    rows = tuple(entry.row.row for entry in doubt.entries)
    if one_row is not None:
        yield Finding(
            RowKind.AMBIGUOUS,
            one_row.row.amount,
            one_row.row.currency,
            payout=one_payout,
            file=one_row.file,
            row=one_row.row,
            payer=payer_of(one_row.row, rules.named_payer(one_row.row)),
            candidates=rows if one_payout else tuple(payout.id for payout in doubt.payouts),
            note=_NEEDS_PAYER if doubt.needs_payer else _choice(map(_payout, doubt.payouts)),
        )
        return
    for payout in doubt.payouts:
        yield Finding(
            RowKind.AMBIGUOUS,
            payout.amount,
            payout.currency,
            payout=payout,
            candidates=rows,
            note=_choice(map(_place, doubt.entries)),
        )


_NEEDS_PAYER = Hint("It fits by amount and date, but no payer is named. Name it: {a_payer}.")
_MOST = 5


def _choice(names: Iterable[str]) -> Hint:
    """Return the note that names the choices."""
    known = list(names)
    more = [f"{len(known) - _MOST} more"] if len(known) > _MOST else []
    return Hint(
        "It could be {names}. Choose with {a_pair}.", names=" or ".join(known[:_MOST] + more)
    )


def _place(entry: Entry) -> str:
    """Return a row as it can be named, with its id and day."""
    name = entry.file.name.replace("\\", "/").rpartition("/")[2]
    return f"{name}:{entry.row.line} ({entry.row.row}, {entry.row.day})"


def _payout(payout: BookPayout) -> str:
    return f"{payout.id} (sent {payout.sent_at.date()})"


def other(entry: Entry, kind: RowKind) -> Finding:
    """Return a row of any other kind as a finding, for a list of all rows."""
    row = entry.row
    return Finding(
        kind,
        row.amount,
        row.currency,
        file=entry.file,
        row=row,
        received_currency=None,
        payer=payer_of(row),
        note=row.type or None,
    )
