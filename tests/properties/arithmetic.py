"""The arithmetic of the rulebook, written a second time: fractions of minutes, never microseconds.

It shares nothing with the program but the values of the policy, so that both cannot be wrong in
the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from zoneinfo import ZoneInfo

from liveportal.domain.policy import Policy

DIGITS = {"USD": 2, "JPY": 0, "KWD": 3}
"""The digits of the currencies that the tests use (ISO 4217)."""

Pauses = Sequence[tuple[datetime, datetime]]


def rounded(exact: Fraction) -> int:
    """Round half-up; only non-negative values are ever rounded."""
    return floor(exact + Fraction(1, 2))


def share(gross: int, policy: Policy) -> int:
    """R11: the expert's part of a gross."""
    fee = Fraction(policy.fee.percent.numerator, policy.fee.percent.denominator)
    return rounded(gross * (1 - fee))


def minutes_on_timer(start: datetime, end: datetime, pauses: Pauses) -> Fraction:
    """R6: paused time is not charged."""
    span = (end - start) - sum((until - since for since, until in pauses), timedelta())
    return Fraction(span // timedelta(microseconds=1), 60_000_000)


def minutes_to_bill(on_timer: Fraction, policy: Policy) -> Fraction:
    """R5 and `billing.*`: first the trial is taken out, then the increment, then the minimum."""
    left = on_timer
    trial, billing = policy.trial, policy.billing
    if trial.billed != "none":
        at_the_boundary = on_timer == trial.minutes and trial.boundary == "over"
        if on_timer < trial.minutes or at_the_boundary:
            return Fraction()
        if trial.billed == "after-trial":
            left = on_timer - trial.minutes
    if left == 0:
        return left
    increment = Fraction(billing.increment_seconds, 60)
    steps = left / increment
    shaped = {
        "exact": steps,
        "up": Fraction(ceil(steps)),
        "down": Fraction(floor(steps)),
        "nearest": Fraction(rounded(steps)),
    }[str(billing.rounding)]
    return max(shaped * increment, Fraction(billing.minimum_minutes))


def gross(rate: int, minutes: Fraction) -> int:
    """Rate x billed time, the one rounding of a bill."""
    return rounded(rate * minutes)


def pauses_fit(start: datetime, end: datetime, pauses: Pauses) -> bool:
    """Pauses lie in the session, one after the other; the session does not end before its start."""
    flat = [instant for pause in sorted(pauses) for instant in pause]
    inside = [start, *flat, end]
    return inside == sorted(inside)


def local_day(instant: datetime, zone: str) -> date:
    """The calendar day in a zone."""
    return instant.astimezone(ZoneInfo(zone)).date()


def month(instant: datetime, zone: str) -> str:
    """The calendar month in a zone."""
    return f"{local_day(instant, zone):%Y-%m}"


def due_day(name: str, policy: Policy) -> date:
    """R13: the last day of the month, plus a number of days."""
    year, number = map(int, name.split("-"))
    first_of_next = date(year + (number == 12), number % 12 + 1, 1)
    return first_of_next - timedelta(days=1 - policy.payout.due_days_after_month_end)


def _ordinal(name: str) -> int:
    """The number of a month, counted from the year 0."""
    year, number = map(int, name.split("-"))
    return year * 12 + number - 1


def months_through(names: Iterable[str]) -> list[str]:
    """Every month from the earliest to the latest, without gaps of up to 120 months."""
    months: list[str] = []
    for name in sorted(names):
        first = _ordinal(months[-1]) + 1 if months else _ordinal(name)
        between = range(first, _ordinal(name))
        if len(between) <= 120:
            months += [f"{each // 12:04d}-{each % 12 + 1:02d}" for each in between]
        months.append(name)
    return months


def text(minor: int, currency: str) -> str:
    """Minor units as the decimal string of the currency."""
    digits = DIGITS[currency]
    return f"{Decimal(minor).scaleb(-digits):.{digits}f}"


def minor(amount: str, currency: str) -> int:
    """The minor units of a decimal string."""
    return int(Decimal(amount).scaleb(DIGITS[currency]))
