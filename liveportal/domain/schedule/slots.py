"""Which of the times that a customer proposes suits best, and why.

A slot is weighed by what speaks against it, in the order of `AGAINST`: whatever stands earlier
weighs more than all that follows together. Of those that are equal the sooner one is better, then
the one with the lower number. The sensible hours of a day are 08:00 to 22:00 by the clock on the
wall, of the customer, and of an expert who has not said which hours are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta

from liveportal.domain.calculations.billing import MINUTE_US, bill
from liveportal.domain.clock import shifted, zone
from liveportal.domain.errors import AmountTooLarge, InvalidValue
from liveportal.domain.events.types import Slot
from liveportal.domain.money import Money, share_of
from liveportal.domain.policy import Policy
from liveportal.domain.schedule.schedule import Schedule
from liveportal.domain.values import dataclass

AGAINST = (
    *("past", "conflict", "vacation", "buffer", "outside_hours", "your_night", "their_night"),
)
RULED_OUT = frozenset({"past", "conflict", "vacation"})
"""What an accept is refused for, unless somebody insists."""

MORNING, EVENING = time(8), time(22)

Reason = tuple[str, str]
"""A code that stays, and the words for a person."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A slot with its number and with all that speaks against it, then for it.

    `local` and `theirs` are its start as the clocks of expert and customer show it; None where
    nobody knows the zone.
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
        """Whether it has begun before now."""
        return "past" in self.codes

    @property
    def is_usable(self) -> bool:
        """Whether it can be booked without insisting."""
        return not self.codes & RULED_OUT


def ranked(
    slots: Sequence[Slot], diary: Schedule, customer_zone: str | None, now: datetime
) -> list[Ranked]:
    """Return the slots of a request, best first; their numbers are their places in it, from 1.

    A zone of the customer that there is not counts as unknown.
    """
    theirs = _known(customer_zone)
    weighed = [_weighed(number, slot, diary, theirs, now) for number, slot in enumerate(slots, 1)]
    return sorted(weighed, key=_weight)


def earning(rate: Money, minutes: int, policy: Policy) -> Money | None:
    """Return the expert's share of a session of that length; None if no book could hold it."""
    try:
        gross = bill(minutes * MINUTE_US, rate, policy).gross
    except AmountTooLarge:
        return None
    return Money(share_of(gross.minor, policy.fee.percent), rate.currency)


def _weight(slot: Ranked) -> tuple[tuple[bool, ...], datetime, int]:
    return tuple(code in slot.codes for code in AGAINST), slot.start, slot.number


def _weighed(number: int, slot: Slot, diary: Schedule, theirs: str | None, now: datetime) -> Ranked:
    end = shifted(slot.start, timedelta(minutes=slot.minutes))
    against = dict(_against(slot.start, end, diary, theirs, now))
    return Ranked(
        number=number,
        start=slot.start,
        minutes=slot.minutes,
        local=_on_the_wall(slot.start, diary.zone),
        theirs=_on_the_wall(slot.start, theirs),
        reasons=(*against.items(), *_in_favour(slot.start, diary, theirs, against.keys())),
    )


def _against(
    start: datetime, end: datetime, diary: Schedule, theirs: str | None, now: datetime
) -> Iterator[Reason]:
    if start < now:
        yield "past", "has begun already"
    if booked := diary.conflicts(start, end):
        yield "conflict", f"overlaps session {', '.join(booked)}"
    if diary.is_away(start, end):
        yield "vacation", "in your vacation"
    if close := diary.too_close(start, end):
        yield "buffer", f"too close to session {', '.join(close)}"
    if not diary.is_within_hours(start, end):
        yield "outside_hours", "outside your hours"
    if diary.availability is None and _is_at_night(start, end, diary.zone):
        yield "your_night", f"at night for you ({_clock(start, diary.zone)})"
    if _is_at_night(start, end, theirs):
        yield "their_night", f"at night for them ({_clock(start, theirs)})"


def _in_favour(
    start: datetime, diary: Schedule, theirs: str | None, against: Iterable[str]
) -> Iterator[Reason]:
    if not RULED_OUT & set(against):
        yield "free", "free"
    if diary.availability is not None and "outside_hours" not in against:
        yield "in_hours", "within your hours"
    if "their_night" not in against and _on_the_wall(start, theirs):
        yield "their_day", f"{_clock(start, theirs)} for them"


def _is_at_night(start: datetime, end: datetime, zone_name: str | None) -> bool:
    """Tell whether any of [start, end) is outside the sensible hours of one day."""
    first, last = _on_the_wall(start, zone_name), _on_the_wall(end, zone_name)
    if first is None or last is None:
        return False
    return first.time() < MORNING or last.date() != first.date() or last.time() > EVENING


def _clock(start: datetime, zone_name: str | None) -> str:
    return f"{_on_the_wall(start, zone_name):%H:%M}"


def _on_the_wall(instant: datetime, zone_name: str | None) -> datetime | None:
    """Return what the clocks of a zone show; None for no zone, and off the calendar's ends."""
    if zone_name is None:
        return None
    try:
        return instant.astimezone(zone(zone_name))
    except OverflowError:
        return None


def _known(zone_name: str | None) -> str | None:
    try:
        return None if zone_name is None else zone(zone_name).key
    except InvalidValue:
        return None
