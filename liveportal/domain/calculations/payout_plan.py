"""When earnings are due, which items a payout pays, and what blocks one (rulebook 8).

A payout pays all open negative items whole, then earnings, the oldest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from liveportal.domain.clock import last_day, local_date
from liveportal.domain.entities import Line, OpenItem
from liveportal.domain.money import half_up
from liveportal.domain.policy import Counts, Policy
from liveportal.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class PayoutBlocker:
    """Why nothing would be paid out."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a payout on a day would be. Amounts in minor units; `eligible_minor` is signed."""

    as_of: date
    eligible_minor: int
    carried_minor: int
    due_on: date | None
    blocked: tuple[PayoutBlocker, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutPosition:
    """What payouts are worked out from, in minor units.

    `missing_on` returns the requirements of the payout profile that are not met on a day.
    """

    owed_minor: int
    items: Sequence[OpenItem]
    first_billed_end: datetime | None
    missing_on: Callable[[date], Iterable[str]]
    policy: Policy


def preview(standing: PayoutPosition, on: date) -> Preview:
    """Reckon what would be paid on a day, and what blocks it."""
    items, policy = standing.items, standing.policy
    eligible = standing.owed_minor - not_due_minor(items, on, policy)
    lines = lines_for(items, eligible) if eligible > 0 else ()
    blocked = tuple(_blocks(standing, on, eligible, lines))
    return Preview(
        as_of=on,
        eligible_minor=eligible,
        carried_minor=eligible if blocked else 0,
        due_on=next_due(items, policy),
        blocked=blocked,
        lines=lines,
    )


def due_date(period: str, policy: Policy) -> date:
    """Return the day on which a month's earnings are due, and from which they count (R13)."""
    return _days_after(period, policy.payout.due_days_after_month_end)


@lru_cache(maxsize=1024)  # Thousands of items are of a few months.
def _days_after(period: str, days: int) -> date:
    try:
        return last_day(period) + timedelta(days=days)
    except OverflowError:
        return date.max


def not_due_minor(items: Iterable[OpenItem], on: date, policy: Policy) -> int:
    """Return the open parts of what was earned in months that are not due yet."""
    return sum(
        item.open_minor
        for item in items
        if item.open_minor > 0 and due_date(item.period, policy) > on
    )


def open_by_month(items: Iterable[OpenItem]) -> list[tuple[str, int]]:
    """Return what is open of each month, signed, the oldest first; months settled are left out."""
    months: dict[str, int] = {}
    for item in items:
        months[item.period] = months.get(item.period, 0) + item.open_minor
    return [(month, minor) for month, minor in sorted(months.items()) if minor]


def next_due(items: Iterable[OpenItem], policy: Policy) -> date | None:
    """Return the earliest due date of what is open, or None when nothing is."""
    return min(
        (due_date(item.period, policy) for item in items if item.open_minor > 0), default=None
    )


def lines_for(items: Sequence[OpenItem], amount_minor: int) -> tuple[Line, ...]:
    """Choose what a payout pays: all open negatives whole, then what was earned, oldest first."""
    ordered = sorted(items, key=lambda item: (item.time, item.transaction))
    taken = [Line(item.transaction, item.open_minor) for item in ordered if item.open_minor < 0]
    wanted = amount_minor - sum(line.minor for line in taken)
    for item in ordered:
        if wanted <= 0:
            break
        if item.open_minor > 0:
            part = min(item.open_minor, wanted)
            taken.append(Line(item.transaction, part))
            wanted -= part
    return tuple(taken)


def _blocks(
    standing: PayoutPosition, on: date, eligible_minor: int, lines: Sequence[Line]
) -> Iterable[PayoutBlocker]:
    policy = standing.policy
    if missing := sorted(standing.missing_on(on)):
        what = ", ".join(missing)
        yield PayoutBlocker("profile_incomplete", f"the payout profile is not complete: {what}")
    if eligible_minor <= 0:
        yield PayoutBlocker("nothing_eligible", "nothing is due to be paid out")
    elif counted(lines, standing.items, policy) < policy.payout_minimum.minor:
        yield PayoutBlocker(
            "below_minimum", f"it is below the minimum of {policy.payout_minimum} {policy.currency}"
        )
    wait_until = first_wait(standing.first_billed_end, policy)
    if wait_until and on < wait_until:
        yield PayoutBlocker(
            "first_payout_wait", f"the first payout comes on {wait_until} at the earliest"
        )


def counted(lines: Iterable[Line], items: Iterable[OpenItem], policy: Policy) -> int:
    """Return what counts towards the payout minimum (`payout.minimum_counts`)."""
    if policy.payout.minimum_counts is Counts.SHARE:
        return sum(line.minor for line in lines)
    paid = {item.transaction: item for item in items}
    total = 0
    for line in lines:
        item = paid[line.item]
        if item.gross_minor is None:
            total += line.minor
        else:  # Part of an earning counts for the same part of its gross.
            total += half_up(item.gross_minor * line.minor, abs(item.face_minor))
    return total


def first_wait(first_billed_end: datetime | None, policy: Policy) -> date | None:
    """Return the first day on which anything is paid out at all (R13), or None before that."""
    if first_billed_end is None:
        return None
    first = local_date(first_billed_end, policy.period.timezone)
    try:
        return first + timedelta(days=policy.payout.first_wait_days)
    except OverflowError:
        return date.max
