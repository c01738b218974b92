"""When how much will be paid out, and what should have been paid already (R13, rulebook 8)."""

from __future__ import annotations

from collections.abc import Iterator
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
from liveportal.domain.entities import Line
from liveportal.domain.money import Money
from liveportal.domain.values import dataclass

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Expected:
    """A payout that is to come: its day, the months that fall due by then, and the amount.

    Where it is blocked nothing comes, and the amount is carried over to the next.
    """

    on: date
    months: tuple[str, ...]
    minor: int
    carried_minor: int
    blocked: tuple[PayoutBlocker, ...]


@dataclass(frozen=True, slots=True)
class Overdue:
    """What was due before a day and was not sent: by month, with the day it was due."""

    minor: int
    months: tuple[tuple[str, date, int], ...]


def forecast(standing: PayoutPosition, today: date) -> list[Expected]:
    """Return the payouts to come, as if each were sent when it is due.

    Each is the preview of its day: with the same blocks, and on the same dates. What is overdue is
    expected today. Earnings that are not booked yet are in none of them.
    """
    found: list[Expected] = []
    for on in sorted(set(_days(standing, today))):
        outlook, months = preview(standing, on), _months(standing, on)
        minor = 0 if outlook.blocked else outlook.eligible_minor
        found.append(Expected(on, months, minor, outlook.carried_minor, outlook.blocked))
        if not outlook.blocked:
            standing = _sent(standing, outlook)
    return found


def overdue(standing: PayoutPosition, on: date) -> Overdue | None:
    """Return what should have been sent before a day; None where nothing was, or it was blocked.

    An incomplete profile blocks a payout, but not that the money was due.
    """
    if on == date.min:
        return None
    outlook = preview(replace(standing, missing_on=lambda _: ()), on - ONE_DAY)
    if outlook.blocked:
        return None
    paid = {line.item: line.minor for line in outlook.lines}
    months: dict[str, int] = {}
    for item in standing.items:
        if minor := paid.get(item.transaction):
            months[item.period] = months.get(item.period, 0) + minor
    rows = tuple(
        (month, due_date(month, standing.policy), minor) for month, minor in sorted(months.items())
    )
    return Overdue(outlook.eligible_minor, rows)


def letter(found: Overdue, on: date, currency: str, due_days: int) -> str:
    """Return a text to send to the platform about what is overdue."""
    amount = f"{Money(found.minor, currency)} {currency}"
    earliest = min((due for _, due, minor in found.months if minor > 0), default=on)
    lines = [
        f"Subject: Payout overdue since {earliest}: {amount}",
        "",
        f"As of {on}, {amount} of my earnings are overdue and were not sent to me.",
        f"Each session is to be paid within {due_days} days of the end of its calendar month.",
        "By month, with refunds taken off:",
        "",
        *(
            f"- {month}: {Money(minor, currency)} {currency}, due on {due}"
            for month, due, minor in found.months
        ),
        "",
        "Please tell me when it will be sent, or what keeps it back.",
    ]
    return "\n".join(lines)


def _days(standing: PayoutPosition, today: date) -> Iterator[date]:
    """Yield the days on which something falls due, or the first payout may come."""
    wait = first_wait(standing.first_billed_end, standing.policy)
    for item in standing.items:
        if item.open_minor > 0:
            due = max(due_date(item.period, standing.policy), today)
            yield due
            yield max(due, wait or due)


def _months(standing: PayoutPosition, on: date) -> tuple[str, ...]:
    """Return the months with open earnings that have fallen due by a day."""
    due = {
        item.period
        for item in standing.items
        if item.open_minor > 0 and due_date(item.period, standing.policy) <= on
    }
    return tuple(sorted(due))


def _sent(standing: PayoutPosition, outlook: Preview) -> PayoutPosition:
    """Return how things stand once a payout was sent."""
    paid: dict[int, Line] = {line.item: line for line in outlook.lines}
    items = [
        replace(item, settled_minor=item.settled_minor + paid[item.transaction].minor)
        if item.transaction in paid
        else item
        for item in standing.items
    ]
    return replace(standing, owed_minor=standing.owed_minor - outlook.eligible_minor, items=items)
