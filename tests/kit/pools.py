"""The small pools that all values are drawn from: switch values, time spans, names.

Times include every boundary of the rules: the trial's last microsecond, exactly 24 hours, a month's
first instant in its zone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from liveportal.domain.events import types as on
from liveportal.domain.events.envelope import EventData
from liveportal.domain.policy import Policy
from tests.properties import arithmetic

READINGS: dict[str, tuple[Any, ...]] = {
    "currency": ("USD", "JPY", "KWD"),
    "trial.minutes": (5, 0),
    "trial.billed": ("whole-session", "after-trial", "none"),
    "trial.boundary": ("over", "from"),
    "billing.rounding": ("exact", "up", "down", "nearest"),
    "billing.increment_seconds": (60, 1, 360),
    "billing.minimum_minutes": (0, 15),
    "fee.percent": (30, "12.5", 0, 100, "33.33"),
    "refund.deducts": ("share", "gross"),
    "refund.window_hours": (24, 0),
    "refund.partial": (True, False),
    "period.timezone": ("UTC", "Pacific/Auckland", "America/New_York", "Asia/Kathmandu"),
    "period.session_month": ("end", "start"),
    "payout.minimum_counts": ("share", "gross"),
    "payout.due_days_after_month_end": (60, 0),
    "payout.first_wait_days": (60, 0),
}
"""Every switch that moves money, and the readings of it that are tried."""

AMOUNTS = {"payout.minimum": 50, "rate.minimum": 2, "rate.maximum": 8}
"""The switches that are amounts, in minor units: small, as all amounts are."""

MICROSECOND = timedelta(microseconds=1)
TRIAL = timedelta(minutes=5)
DAY = timedelta(hours=24)
SPANS = (
    *(timedelta(0), MICROSECOND, TRIAL - MICROSECOND, TRIAL, TRIAL + MICROSECOND),
    *(timedelta(seconds=30), timedelta(minutes=5, seconds=30), timedelta(minutes=20)),
)
GAPS = (*SPANS, timedelta(hours=2), DAY, timedelta(days=9), timedelta(days=40))
AFTER_THE_END = (timedelta(0), MICROSECOND, DAY - MICROSECOND, DAY, DAY + MICROSECOND, 30 * DAY)
MONTHS = ((2026, 10), (2026, 11), (2027, 1), (2027, 3), (2027, 4))
ANSWERS: dict[str, Callable[..., EventData]] = {
    "conceded": on.RefundConceded,
    "granted": on.RefundGranted,
    "denied": on.RefundDenied,
    "withdrawn": on.RefundWithdrawn,
    "filed": on.DisputeFiled,
    "dropped": on.DisputeWithdrawn,
    "accepted": on.DisputeAccepted,
    "rejected": on.DisputeRejected,
}
CUSTOMERS = tuple(
    on.CustomerInfo(id=name, name=called) for name in ("cus-1", "cus-2") for called in (None, "Ada")
)
PLATFORM, MIRROR = "https://help.example/7", "https://mirror.example/7"


def policy_of(pick: Callable[[Sequence[Any]], Any], like: Policy | None = None) -> Policy:
    """Make a policy by picking a value for every switch.

    With `like`, the fields that the first entry fixes (currency, months) are taken from it.
    """
    fixed = like.switches() if like else {}
    document: dict[str, Any] = {"name": "any"}
    for switch, readings in READINGS.items():
        table, _, key = switch.rpartition(".")
        place = document.setdefault(table, {}) if table else document
        keeps = switch in fixed and table in ("", "period")
        place[key] = fixed[switch] if keeps else pick(readings)
    for switch, minor in AMOUNTS.items():
        table, key = switch.split(".")
        document.setdefault(table, {})[key] = arithmetic.text(minor, document["currency"])
    return Policy.from_document(document)


def borders(zone: str) -> list[datetime]:
    """The first instants of some months in a zone."""
    return [datetime(*month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) for month in MONTHS]
