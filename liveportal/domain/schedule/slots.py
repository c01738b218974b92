"""Ranking of the times that a customer proposes, with reasons.

Slots are compared by the reasons against them, in the order of `AGAINST`: an earlier reason
outweighs all later ones together. Among equal slots, the earlier time is better, then the lower
number. Waking hours are 08:00 to 22:00 local time, of the customer, and of an expert who has not
set any hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta

from liveportal.domain.calculations.billing import MINUTE_US, bill
from liveportal.domain.clock import shifted, zone
from liveportal.domain.errors import AmountTooLarge, InvalidValue
from liveportal.domain.events.types import Slot
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money, share_of
from liveportal.domain.policy import Policy
from liveportal.domain.schedule.schedule import Schedule

AGAINST = (
    *(
        "past",
        "conflict",
        "busy",
        "vacation",
        "buffer",
        "outside_hours",
        "your_night",
        "their_night",
    ),
)
RULED_OUT = frozenset({"past", "conflict", "busy", "vacation"})
"""Reasons for which accepting a slot is refused unless overridden."""

MORNING, EVENING = time(8), time(22)

Reason = tuple[str, str]
"""A stable code, and a text for display."""


@frozen
class RankedSlot:
    """A slot with its number and the reasons against it, then those for it.

    `local` and `theirs` are its start in the zones of expert and customer; None if a zone is
    unknown.
    """

    number: int
    start: datetime
    minutes: int
    local: datetime | None
    theirs: datetime | None
    reasons: tuple[Reason, ...]

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the reasons."""
        return frozenset(code for code, _ in self.reasons)

    @property
    def is_past(self) -> bool:
        """Whether it has already begun."""
        return "past" in self.codes

    @property
    def is_usable(self) -> bool:
        """Whether it can be booked without an override."""
        return not self.codes & RULED_OUT


def rank_slots(
    slots: Sequence[Slot], schedule: Schedule, customer_zone: str | None, now: datetime
) -> list[RankedSlot]:
    """Return the slots of a request, best first; numbers are positions in the request, from 1.

    An invalid zone of the customer counts as unknown.
    """
    known_zone = _known_zone(customer_zone)
    ranking = [
        _rank(number, slot, schedule, known_zone, now) for number, slot in enumerate(slots, 1)
    ]
    return sorted(ranking, key=_sort_key)


def earning(rate: Money, minutes: int, policy: Policy) -> Money | None:
    """Return the expert's share of a session of this length; None if it is too large to book."""
    try:
        gross = bill(minutes * MINUTE_US, rate, policy).gross
    except AmountTooLarge:
        return None
    return Money(share_of(gross.minor, policy.fee.percent), rate.currency)


def _sort_key(slot: RankedSlot) -> tuple[tuple[bool, ...], datetime, int]:
    return tuple(code in slot.codes for code in AGAINST), slot.start, slot.number


def _rank(
    number: int, slot: Slot, schedule: Schedule, customer_zone: str | None, now: datetime
) -> RankedSlot:
    end = shifted(slot.start, timedelta(minutes=slot.minutes))
    against = dict(_reasons_against(slot.start, end, schedule, customer_zone, now))
    return RankedSlot(
        number=number,
        start=slot.start,
        minutes=slot.minutes,
        local=_local_time(slot.start, schedule.zone),
        theirs=_local_time(slot.start, customer_zone),
        reasons=(
            *against.items(),
            *_reasons_for(slot.start, schedule, customer_zone, against.keys()),
        ),
    )


def _reasons_against(
    start: datetime, end: datetime, schedule: Schedule, customer_zone: str | None, now: datetime
) -> Iterator[Reason]:
    if start < now:
        yield "past", "has already begun"
    if booked := schedule.conflicts(start, end):
        yield "conflict", f"overlaps session {', '.join(booked)}"
    if own := schedule.own_conflicts(start, end):
        titles = ", ".join(dict.fromkeys(event.title or "an event" for event in own))
        yield "busy", f"overlaps {titles} in your calendar"
    if schedule.is_away(start, end):
        yield "vacation", "during your vacation"
    if too_close := schedule.too_close(start, end):
        yield "buffer", f"too close to session {', '.join(too_close)}"
    if not schedule.is_within_hours(start, end):
        yield "outside_hours", "outside your hours"
    if schedule.availability is None and _is_at_night(start, end, schedule.zone):
        yield "your_night", f"at night for you ({_format_clock(start, schedule.zone)})"
    if _is_at_night(start, end, customer_zone):
        yield "their_night", f"at night for them ({_format_clock(start, customer_zone)})"


def _reasons_for(
    start: datetime, schedule: Schedule, customer_zone: str | None, against: Iterable[str]
) -> Iterator[Reason]:
    if not RULED_OUT & set(against):
        yield "free", "free"
    if schedule.availability is not None and "outside_hours" not in against:
        yield "in_hours", "within your hours"
    if "their_night" not in against and _local_time(start, customer_zone):
        yield "their_day", f"{_format_clock(start, customer_zone)} for them"


def _is_at_night(start: datetime, end: datetime, zone_name: str | None) -> bool:
    """Return True if part of [start, end) is outside the waking hours of one day."""
    first, last = _local_time(start, zone_name), _local_time(end, zone_name)
    if first is None or last is None:
        return False
    return first.time() < MORNING or last.date() != first.date() or last.time() > EVENING


def _format_clock(start: datetime, zone_name: str | None) -> str:
    return f"{_local_time(start, zone_name):%H:%M}"


def _local_time(instant: datetime, zone_name: str | None) -> datetime | None:
    """Return the local time in a zone; None without a zone, or off the ends of the calendar."""
    if zone_name is None:
        return None
    try:
        return instant.astimezone(zone(zone_name))
    except OverflowError:
        return None


def _known_zone(zone_name: str | None) -> str | None:
    try:
        return None if zone_name is None else zone(zone_name).key
    except InvalidValue:
        return None
