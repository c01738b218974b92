"""Automatic declining of requests by the expert's own rules (see `DeclineRule`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import fields
from datetime import datetime, timedelta

from liveportal.domain.clock import MICROSECOND, shifted
from liveportal.domain.errors import (
    InvalidEvent,
)
from liveportal.domain.events.envelope import event_data
from liveportal.domain.events.field_types import BOOLEAN, ID, POSITIVE, TEXT, Choice, ListOf
from liveportal.domain.events.fields import EventRecord, of
from liveportal.domain.events.types import MINUTES, Slot
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money
from liveportal.domain.schedule.schedule import Schedule
from liveportal.domain.schedule.working_hours import Span


@frozen
class RequestFacts:
    """The facts of a request that rules can check."""

    kind: str
    customer: str
    rate: Money
    skills: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()


def reason_to_decline(
    rules: Iterable[DeclineRule],
    request: RequestFacts,
    own: Collection[str],
    schedule: Schedule,
    now: datetime,
) -> str | None:
    """Return the reason of the first rule whose conditions are all met, or None.

    `own` are the expert's skills. A condition given as false is met if the opposite is true.
    """
    for rule in rules:
        if all(_conditions(rule, request, own, schedule, now)):
            return rule.reason
    return None


def matched(skills: Iterable[str], own: Iterable[str]) -> list[str]:
    """Return those of the requested skills that the expert has, as the request spells them."""
    known = {skill.casefold() for skill in own}
    return [skill for skill in skills if skill.casefold() in known]


def _conditions(
    rule: DeclineRule,
    request: RequestFacts,
    own: Collection[str],
    schedule: Schedule,
    now: datetime,
) -> Iterable[bool]:
    """Yield for each condition of the rule whether it is met."""
    if rule.kind is not None:
        yield request.kind == rule.kind
    if rule.below_rate is not None:
        # Amounts in different currencies are not comparable.
        is_comparable = rule.below_rate.currency == request.rate.currency
        yield is_comparable and request.rate < rule.below_rate
    if rule.unmatched is not None:
        yield _is_unmatched(request, own) is rule.unmatched
    if rule.outside_hours is not None:
        outside = _all_times(
            request, now, lambda start, end: not schedule.is_within_hours(start, end)
        )
        yield outside is rule.outside_hours
    if rule.on_vacation is not None:
        yield _all_times(request, now, schedule.is_away) is rule.on_vacation
    if rule.shorter_than is not None:
        shortest = rule.shorter_than
        yield bool(request.slots) and all(slot.minutes < shortest for slot in request.slots)
    if rule.customers is not None:
        yield request.customer in rule.customers


def _is_unmatched(request: RequestFacts, own: Collection[str]) -> bool:
    """Return True if the request asks for skills, none of which the expert has (R3).

    An expert without stated skills matches every skill.
    """
    return bool(request.skills) and bool(own) and not matched(request.skills, own)


def _all_times(
    request: RequestFacts, now: datetime, condition: Callable[[datetime, datetime], bool]
) -> bool:
    """Return True if all proposed times (for an instant request, now) meet a condition."""
    return all(condition(start, end) for start, end in _times(request, now))


def _times(request: RequestFacts, now: datetime) -> list[Span]:
    if not request.slots:
        return [(now, shifted(now, MICROSECOND))]
    return [
        (slot.start, shifted(slot.start, timedelta(minutes=slot.minutes))) for slot in request.slots
    ]


@event_data
class DeclineRule(EventRecord):
    """A rule that declines requests automatically if all its conditions are met.

    `outside_hours`, `on_vacation` and `shorter_than` must be met by all slots of a request; an
    instant request is now, and has no length. A condition that is false is met by the opposite.
    """

    reason: str = of(TEXT, doc="The reason that the decline gives.")
    kind: str | None = of(
        Choice("instant", "scheduled"), default=None, doc="The request is of this kind."
    )
    below_rate: Money | None = of(
        POSITIVE, default=None, doc="The request pays less than this a minute."
    )
    unmatched: bool | None = of(
        BOOLEAN, default=None, doc="The request needs skills, and the expert has none of them."
    )
    outside_hours: bool | None = of(
        BOOLEAN, default=None, doc="All its slots are outside the expert's working hours."
    )
    on_vacation: bool | None = of(
        BOOLEAN, default=None, doc="All its slots are during vacations of the expert."
    )
    shorter_than: int | None = of(
        MINUTES, default=None, doc="All its slots are shorter than this, in minutes."
    )
    customers: tuple[str, ...] | None = of(
        ListOf(ID), default=None, doc="The request is of one of these customers."
    )

    def check_whole(self) -> None:
        """Raise `InvalidEvent` for a rule without conditions."""
        if all(getattr(self, f.name) is None for f in fields(self) if f.name != "reason"):
            raise InvalidEvent("reason", "A rule needs at least one condition besides its reason.")
