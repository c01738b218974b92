"""Forecast of payouts, and payouts that are overdue (R13, rulebook 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from liveportal.domain.calculations.payout_plan import (
    PayoutBlocker,
    PayoutPosition,
    Preview,
    due_date,
    first_wait,
    preview,
)
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money

ONE_DAY = timedelta(days=1)


@frozen
class ExpectedPayout:
    """An expected payout: its day, the months due by then, and the amount in minor units.

    If it is blocked, nothing is paid, and the amount is carried over to the next one.
    """

    on: date
    months: tuple[str, ...]
    minor: int
    carried_minor: int
    blocked: tuple[PayoutBlocker, ...]


@frozen
class Overdue:
    """What was due before a day but was not sent: in total, and by month with its due date."""

    minor: int
    months: tuple[tuple[str, date, int], ...]


def forecast(standing: PayoutPosition, today: date) -> list[ExpectedPayout]:
    """Return the expected payouts, assuming that each is sent when it is due.

    Each equals the preview of its day, with the same blockers and dates. Overdue amounts are
    expected today. Earnings that are not booked yet are not included.
    """
    payouts: list[ExpectedPayout] = []
    for on in sorted(set(_payout_days(standing, today))):
        outlook, months = preview(standing, on), _months_due(standing, on)
        minor = 0 if outlook.blocked else outlook.eligible_minor
        payouts.append(ExpectedPayout(on, months, minor, outlook.carried_minor, outlook.blocked))
        if not outlook.blocked:
            standing = _after_payout(standing, outlook)
    return payouts


def overdue(standing: PayoutPosition, on: date) -> Overdue | None:
    """Return the amounts that should have been sent before a day; None if none, or if blocked.

    An incomplete profile blocks a payout, but the money was due nevertheless.
    """
    if on == date.min:
        return None
    outlook = preview(replace(standing, missing_on=lambda _: ()), on - ONE_DAY)
    if outlook.blocked:
        return None
    paid_by_item = {line.item: line.minor for line in outlook.lines}
    months: dict[str, int] = {}
    for item in (open_item.item for open_item in standing.items):
        if minor := paid_by_item.get(item.transaction):
            months[item.period] = months.get(item.period, 0) + minor
    rows = tuple(
        (month, due_date(month, standing.policy), minor) for month, minor in sorted(months.items())
    )
    return Overdue(outlook.eligible_minor, rows)


LatePayout = tuple[str, Money, date]
"""A payout that was sent and has not arrived: its id, its amount, the day of its sending."""


def letter(
    unpaid: Overdue | None, late: Sequence[LatePayout], on: date, currency: str, due_days: int
) -> str:
    """Return a text that asks the platform for an overdue payout, and for those that are late."""
    parts = [_letter_for_unpaid(unpaid, on, currency, due_days)] if unpaid else []
    if late:
        parts.append(_letter_for_late(late, on, currency))
    return "\n\n".join(parts)


def _letter_for_late(late: Sequence[LatePayout], on: date, currency: str) -> str:
    ids = ", ".join(name for name, *_ in late)
    lines = [
        f"Subject: Not arrived: {ids}",
        "",
        f"As of {on}, these payouts were sent to me and have not arrived:",
        "",
        *(f"- {name}: {amount} {currency}, sent on {sent}" for name, amount, sent in late),
        "",
        "Please let me know where they are.",
    ]
    return "\n".join(lines)


def _letter_for_unpaid(amounts: Overdue, on: date, currency: str, due_days: int) -> str:
    amount = f"{Money(amounts.minor, currency)} {currency}"
    earliest = min((due for _, due, minor in amounts.months if minor > 0), default=on)
    lines = [
        f"Subject: Payout overdue since {earliest}: {amount}",
        "",
        f"As of {on}, {amount} of my earnings is overdue and has not been sent to me.",
        f"Each session is to be paid within {due_days} days of the end of its calendar month.",
        "By month, after refunds:",
        "",
        *(
            f"- {month}: {Money(minor, currency)} {currency}, due on {due}"
            for month, due, minor in amounts.months
        ),
        "",
        "Please let me know when it will be sent, or what is delaying it.",
    ]
    return "\n".join(lines)


def _payout_days(standing: PayoutPosition, today: date) -> Iterator[date]:
    """Yield the days on which something falls due, or on which the first payout is possible."""
    wait = first_wait(standing.first_billed_end, standing.policy)
    for open_item in standing.items:
        if open_item.open_minor > 0:
            due = max(due_date(open_item.item.period, standing.policy), today)
            yield due
            yield max(due, wait or due)


def _months_due(standing: PayoutPosition, on: date) -> tuple[str, ...]:
    """Return the months with open earnings that are due by a day."""
    due = {
        open_item.item.period
        for open_item in standing.items
        if open_item.open_minor > 0 and due_date(open_item.item.period, standing.policy) <= on
    }
    return tuple(sorted(due))


def _after_payout(standing: PayoutPosition, outlook: Preview) -> PayoutPosition:
    """Return the position after a payout was sent."""
    paid_by_item = {line.item: line.minor for line in outlook.lines}
    items = [
        replace(open_item, item=open_item.item.settle(paid_by_item[open_item.item.transaction]))
        if open_item.item.transaction in paid_by_item
        else open_item
        for open_item in standing.items
    ]
    return replace(standing, owed_minor=standing.owed_minor - outlook.eligible_minor, items=items)
