"""Payouts: when earnings are due, which items are paid, and what blocks them (rulebook 8).

A payout pays all open negative items in full, then earnings, the oldest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from liveportal.domain.clock import last_day, local_date
from liveportal.domain.entities import Line, OpenItem
from liveportal.domain.frozen import frozen
from liveportal.domain.money import half_up
from liveportal.domain.policy import Counts, Policy


@frozen
class PayoutBlocker:
    """A reason why nothing would be paid out."""

    code: str
    message: str


@frozen
class Preview:
    """A payout as it would be on a day. Amounts in minor units; `eligible_minor` is signed."""

    as_of: date
    eligible_minor: int
    carried_minor: int
    due_on: date | None
    blocked: tuple[PayoutBlocker, ...]
    lines: tuple[Line, ...]


@frozen(kw_only=True)
class PayoutPosition:
    """The data from which payouts are calculated, in minor units.

    `missing_on` returns the requirements of the payout profile that are not met on a day.
    """

    owed_minor: int
    items: Sequence[OpenItem]
    first_billed_end: datetime | None
    missing_on: Callable[[date], Iterable[str]]
    policy: Policy


def preview(standing: PayoutPosition, on: date) -> Preview:
    """Calculate what would be paid on a day, and what blocks it."""
    items, policy = standing.items, standing.policy
    eligible_minor = standing.owed_minor - not_due_minor(items, on, policy)
    lines = lines_for(items, eligible_minor) if eligible_minor > 0 else ()
    blocked = tuple(_blockers(standing, on, eligible_minor, lines))
    return Preview(
        as_of=on,
        eligible_minor=eligible_minor,
        carried_minor=eligible_minor if blocked else 0,
        due_on=next_due(items, policy),
        blocked=blocked,
        lines=lines,
    )


def due_date(period: str, policy: Policy) -> date:
    """Return the day on which a month's earnings are due and become payable (R13)."""
    return _days_after(period, policy.payout.due_days_after_month_end)


@lru_cache(maxsize=1024)  # Thousands of items belong to few months.
def _days_after(period: str, days: int) -> date:
    try:
        return last_day(period) + timedelta(days=days)
    except OverflowError:
        return date.max


def not_due_minor(items: Iterable[OpenItem], on: date, policy: Policy) -> int:
    """Return the open earnings of months that are not due yet, in minor units."""
    return sum(
        open_item.open_minor
        for open_item in items
        if open_item.open_minor > 0 and due_date(open_item.item.period, policy) > on
    )


def open_by_month(items: Iterable[OpenItem]) -> list[tuple[str, int]]:
    """Return the open amount of each month, signed, oldest first, without settled months."""
    months: dict[str, int] = {}
    for open_item in items:
        period = open_item.item.period
        months[period] = months.get(period, 0) + open_item.open_minor
    return [(month, minor) for month, minor in sorted(months.items()) if minor]


def next_due(items: Iterable[OpenItem], policy: Policy) -> date | None:
    """Return the earliest due date of open earnings, or None."""
    return min(
        (
            due_date(open_item.item.period, policy)
            for open_item in items
            if open_item.open_minor > 0
        ),
        default=None,
    )


def lines_for(items: Sequence[OpenItem], amount_minor: int) -> tuple[Line, ...]:
    """Return the lines of a payout: all negative items in full, then earnings, oldest first."""
    ordered = sorted(
        ((open_item.item, open_item.open_minor) for open_item in items),
        key=lambda pair: (pair[0].time, pair[0].transaction),
    )
    lines = [Line(item.transaction, open_minor) for item, open_minor in ordered if open_minor < 0]
    remaining_minor = amount_minor - sum(line.minor for line in lines)
    for item, open_minor in ordered:
        if remaining_minor <= 0:
            break
        if open_minor > 0:
            paid_minor = min(open_minor, remaining_minor)
            lines.append(Line(item.transaction, paid_minor))
            remaining_minor -= paid_minor
    return tuple(lines)


def _blockers(
    standing: PayoutPosition, on: date, eligible_minor: int, lines: Sequence[Line]
) -> Iterable[PayoutBlocker]:
    policy = standing.policy
    if missing := sorted(standing.missing_on(on)):
        what = ", ".join(missing).replace("_", " ")  # Words, not the names of fields.
        yield PayoutBlocker(
            "profile_incomplete", f"The payout profile is incomplete. It needs: {what}."
        )
    if eligible_minor <= 0:
        yield PayoutBlocker("nothing_eligible", "Nothing is due to be paid out yet.")
    elif counted(lines, standing.items, policy) < policy.payout_minimum.minor:
        yield PayoutBlocker(
            "below_minimum",
            f"It is below the payout minimum of {policy.payout_minimum} {policy.currency} (R12).",
        )
    wait_until = first_wait(standing.first_billed_end, policy)
    if wait_until and on < wait_until:
        yield PayoutBlocker(
            "first_payout_wait", f"The first payout is not sent before {wait_until} (R13)."
        )


def counted(lines: Iterable[Line], items: Iterable[OpenItem], policy: Policy) -> int:
    """Return the amount that counts towards the payout minimum (`payout.minimum_counts`)."""
    if policy.payout.minimum_counts is Counts.SHARE:
        return sum(line.minor for line in lines)
    items_by_id = {open_item.item.transaction: open_item for open_item in items}
    total_minor = 0
    for line in lines:
        open_item = items_by_id[line.item]
        if open_item.gross_minor is None:
            total_minor += line.minor
        else:  # Part of an earning counts as the same part of its gross.
            face_minor = abs(open_item.item.face_minor)
            total_minor += half_up(open_item.gross_minor * line.minor, face_minor)
    return total_minor


def first_wait(first_billed_end: datetime | None, policy: Policy) -> date | None:
    """Return the first day on which a payout is possible (R13); None before a billed session."""
    if first_billed_end is None:
        return None
    first = local_date(first_billed_end, policy.period.timezone)
    try:
        return first + timedelta(days=policy.payout.first_wait_days)
    except OverflowError:
        return date.max
