"""Proofs that a file is whole and unchanged, from its own sums and running balances.

All take the rows in the order of the file, and call `fail(line, reason)` for the first row that
does not fit, which refuses the file or notes that it is not proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from liveportal.domain.money import format_minor
from liveportal.statements.rows import Meaning, Proof, StatementRow

Fail = Callable[[str, int, str], None]
"""Called with the proof's name, a line and the reason."""


Problem = tuple[int, str]
"""The line of a row that does not fit, and the reason."""


def moved(row: StatementRow) -> int:
    """Return by how much a row changes the balance."""
    return row.amount + (row.fee or 0) if row.net is None else row.net


def money_rows(rows: Sequence[StatementRow]) -> dict[tuple[str, str], list[StatementRow]]:
    """Return the rows that change each balance, in their order, by currency and pot."""
    by_balance: dict[tuple[str, str], list[StatementRow]] = {}
    for row in rows:
        if row.meaning is not Meaning.MEMO:
            by_balance.setdefault((row.currency, row.pot), []).append(row)
    return by_balance


def proved_steps(rows: Sequence[StatementRow], *, newest_first: bool) -> int:
    """Return how many balances follow from the one before, if the file has this direction."""
    return sum(
        _follows(below, above) if newest_first else _follows(above, below)
        for chain in money_rows(rows).values()
        for above, below in pairwise(chain)
    )


def times_fall(rows: Sequence[StatementRow]) -> bool:
    """Return whether the rows of most currencies go back in time; days count without times."""
    steps = (
        (above.time, below.time) if above.time and below.time else (above.day, below.day)
        for chain in money_rows(rows).values()
        for above, below in pairwise(chain)
    )
    return sum((below < above) - (below > above) for above, below in steps) > 0


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
    for (currency, _), chain in money_rows(rows).items():
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


def prove_groups(
    rows: Sequence[StatementRow],
    digits: Mapping[str, int],
    fail: Fail,
    further: Iterable[Problem | None] = (),
) -> Proof:
    """Prove that exchanges have two sides, and that a release is not larger than its hold.

    `further` are the judgements of groups that only the format knows.

    Only groups that are in the file as a whole count: a hold may be released in a later file.
    """
    groups = proved = 0
    for problem in (*_exchanges(rows), *_holds(rows, digits), *further):
        groups += 1
        if problem is None:
            proved += 1
        elif proved == groups - 1:
            fail("groups", *problem)
    return Proof("groups", groups, proved)


def _exchanges(rows: Sequence[StatementRow]) -> Iterator[Problem | None]:
    """Judge each exchange of currencies; a file of one currency has one side only."""
    if len({row.currency for row in rows}) <= 1:
        return
    legs = [row for row in rows if row.meaning is Meaning.CONVERSION]
    for group in _connected(legs):
        taken = sum(leg.amount < 0 for leg in group)
        if 2 * taken == len(group):
            yield None
        else:
            reason = (
                f"an exchange of currencies has {taken} rows that take money and"
                f" {len(group) - taken} that add money. A row of the exchange is missing."
            )
            yield group[0].line, reason


def _connected(legs: Sequence[StatementRow]) -> list[list[StatementRow]]:
    """Group legs of one parent, legs that name each other and, without either, of one time."""
    above: dict[object, object] = {}

    def top(name: object) -> object:
        while (upper := above.setdefault(name, name)) != name:
            above[name] = above[upper]
            name = upper
        return name

    for leg in legs:
        above[top(leg.row)] = top(leg.parent or leg.time or leg.day)
    groups: dict[object, list[StatementRow]] = {}
    for leg in legs:
        groups.setdefault(top(leg.row), []).append(leg)
    return list(groups.values())


def _holds(rows: Sequence[StatementRow], digits: Mapping[str, int]) -> Iterator[Problem | None]:
    """Judge each release whose hold is in the file, where a parent has one of both."""
    held: dict[tuple[str, str], list[StatementRow]] = {}
    released: dict[tuple[str, str], list[StatementRow]] = {}
    for row in rows:
        if row.meaning is Meaning.HOLD and row.amount < 0:
            for name in {row.row, row.parent or row.row}:
                held.setdefault((name, row.currency), []).append(row)
        elif row.meaning in {Meaning.RELEASE, Meaning.HOLD} and row.parent:
            released.setdefault((row.parent, row.currency), []).append(row)
    for key in (key for key in released if key in held):
        if len(held[key]) > 1 or len(released[key]) > 1:
            continue
        (hold,), (release,) = held[key], released[key]
        if release.amount <= -hold.amount:
            yield None
        else:
            more, less = _shown(digits, release.currency, release.amount, -hold.amount)
            reason = (
                f"{more} {release.currency} are released, but the hold in line {hold.line} is of"
                f" {less}."
            )
            yield release.line, reason


def _shown(digits: Mapping[str, int], currency: str, *amounts: int) -> list[str]:
    return [format_minor(amount, digits[currency]) for amount in amounts]
