"""Proofs that a file is whole and unchanged, from its own sums and running balances.

All take the rows in the order of the file, and call `fail(line, reason)` for the first row that
does not fit, which refuses the file or notes that it is not proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from liveportal.domain.money import format_minor
from liveportal.statements.rows import Meaning, Proof, StatementRow

Fail = Callable[[str, int, str], None]
"""Called with the proof's name, a line and the reason."""


def moved(row: StatementRow) -> int:
    """Return by how much a row changes the balance."""
    return row.amount if row.net is None else row.net


def money_rows(rows: Sequence[StatementRow]) -> dict[str, list[StatementRow]]:
    """Return the rows of each currency that change the balance, in their order."""
    by_currency: dict[str, list[StatementRow]] = {}
    for row in rows:
        if row.meaning is not Meaning.MEMO:
            by_currency.setdefault(row.currency, []).append(row)
    return by_currency


def proved_steps(rows: Sequence[StatementRow], *, newest_first: bool) -> int:
    """Return how many balances follow from the one before, if the file has this direction."""
    return sum(
        _follows(below, above) if newest_first else _follows(above, below)
        for chain in money_rows(rows).values()
        for above, below in pairwise(chain)
    )


def times_fall(rows: Sequence[StatementRow]) -> bool:
    """Return whether the rows of most currencies go back in time."""
    steps = (
        (above.time, below.time)
        for chain in money_rows(rows).values()
        for above, below in pairwise(chain)
    )
    return sum((below < above) - (below > above) for above, below in steps if above and below) > 0


def _follows(earlier: StatementRow, later: StatementRow) -> bool:
    """Return whether the later balance is the earlier one and what the later row moved."""
    if earlier.balance is None or later.balance is None:
        return False
    return earlier.balance + moved(later) == later.balance


def prove_sums(rows: Sequence[StatementRow], digits: Mapping[str, int], fail: Fail) -> Proof:
    """Prove that gross and fee make net in every row that states all three."""
    full = proved = 0
    for row in rows:
        if row.gross is None or row.fee is None or row.net is None:
            continue
        full += 1
        if row.gross + row.fee == row.net:
            proved += 1
        elif proved == full - 1:
            gross, fee, net = _shown(digits, row.currency, row.gross, row.fee, row.net)
            fail("sums", row.line, f"gross {gross} and fee {fee} do not make net {net}.")
    return Proof("sums", full, proved)


def prove_balances(
    rows: Sequence[StatementRow], digits: Mapping[str, int], fail: Fail, *, newest_first: bool
) -> Proof:
    """Prove that each balance follows from the one before it, in each currency of its own."""
    steps = proved = 0
    for currency, chain in money_rows(rows).items():
        if all(row.balance is None for row in chain):
            continue
        for above, below in pairwise(chain):
            earlier, later = (below, above) if newest_first else (above, below)
            steps += 1
            if _follows(earlier, later):
                proved += 1
            elif proved == steps - 1:
                fail("balance", later.line, _step(digits, currency, earlier, later))
    return Proof("balance", steps, proved)


def _step(
    digits: Mapping[str, int], currency: str, earlier: StatementRow, later: StatementRow
) -> str:
    if earlier.balance is None or later.balance is None:
        return "the row has no balance, so it does not show that no row is missing."
    expected = earlier.balance + moved(later)
    balance, before, amount, sum_ = _shown(
        digits, currency, later.balance, earlier.balance, moved(later), expected
    )
    return (
        f"the balance is {balance} {currency}, but {before} in line {earlier.line} and {amount} in"
        f" this row make {sum_}. A row between them is missing or appears twice, or one of the"
        " two was changed."
    )


def prove_groups(rows: Sequence[StatementRow], digits: Mapping[str, int], fail: Fail) -> Proof:
    """Prove that exchanges have two sides, and that no more was released than was on hold.

    A hold that is not released yet counts as proved; a file of one currency has one side only.
    """
    groups = proved = 0
    for problem in (*_exchanges(rows), *_holds(rows, digits)):
        groups += 1
        if problem is None:
            proved += 1
        elif proved == groups - 1:
            fail("groups", *problem)
    return Proof("groups", groups, proved)


_Problem = tuple[int, str] | None


def _exchanges(rows: Sequence[StatementRow]) -> Iterator[_Problem]:
    if len({row.currency for row in rows}) <= 1:
        return
    legs = [row for row in rows if row.meaning is Meaning.CONVERSION]
    parents = {leg.parent for leg in legs}
    groups: dict[object, list[StatementRow]] = {}
    for leg in legs:
        key = leg.parent or (leg.row if leg.row in parents else leg.time or leg.day)
        groups.setdefault(key, []).append(leg)
    for group in groups.values():
        taken = [leg for leg in group if leg.amount < 0]
        if 2 * len(taken) == len(group):
            yield None
        else:
            reason = (
                f"an exchange of currencies has {len(taken)} rows that take money and"
                f" {len(group) - len(taken)} that add money. A row of the exchange is missing."
            )
            yield group[0].line, reason


def _holds(rows: Sequence[StatementRow], digits: Mapping[str, int]) -> Iterator[_Problem]:
    holds = {row.row: row for row in rows if row.meaning is Meaning.HOLD}
    on_hold: dict[tuple[str, str], int] = {}
    for row in holds.values():
        if row.amount < 0:
            for name in {row.row, row.parent or row.row}:
                key = name, row.currency
                on_hold[key] = on_hold.get(key, 0) - row.amount
    released: dict[tuple[str, str], list[StatementRow]] = {}
    for row in rows:
        if row.amount > 0 and row.meaning in (Meaning.RELEASE, Meaning.HOLD) and row.parent:
            released.setdefault((row.parent, row.currency), []).append(row)
    for key, releases in released.items():
        if key not in on_hold:
            continue  # The hold is in an earlier file.
        total = sum(row.amount for row in releases)
        if total <= on_hold[key]:
            yield None
            continue
        more, held = _shown(digits, key[1], total, on_hold[key])
        yield releases[-1].line, f"{more} {key[1]} were released, but only {held} were on hold."


def _shown(digits: Mapping[str, int], currency: str, *amounts: int) -> list[str]:
    return [format_minor(amount, digits[currency]) for amount in amounts]
