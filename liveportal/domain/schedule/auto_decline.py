"""Which requests the expert's own rules decline; what a rule says stands in `Declining`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import fields
from datetime import datetime, timedelta

from liveportal.domain.clock import MICROSECOND, shifted
from liveportal.domain.errors import (
    InvalidEvent,
)
from liveportal.domain.events.envelope import event_data
from liveportal.domain.events.fields import (
    BOOLEAN,
    ID,
    POSITIVE,
    TEXT,
    Choice,
    EventRecord,
    ListOf,
    of,
)
from liveportal.domain.events.types import MINUTES, Slot
from liveportal.domain.money import Money
from liveportal.domain.schedule.schedule import Schedule
from liveportal.domain.schedule.working_hours import Span
from liveportal.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a rule sees of a request."""

    kind: str
    customer: str
    rate: Money
    skills: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()


def reason_to_decline(
    rules: Iterable[Declining],
    asked: RequestFacts,
    own: Collection[str],
    diary: Schedule,
    now: datetime,
) -> str | None:
    """Return the reason of the first rule of which all conditions hold; None if there is none.

    `own` are the expert's skills. A condition that is given as false holds where it is not so.
    """
    for rule in rules:
        if all(_conditions(rule, asked, own, diary, now)):
            return rule.reason
    return None


def matched(skills: Iterable[str], own: Iterable[str]) -> list[str]:
    """Return those of the skills asked for that are the expert's, as they were asked for."""
    known = {skill.casefold() for skill in own}
    return [skill for skill in skills if skill.casefold() in known]


def _conditions(
    rule: Declining, asked: RequestFacts, own: Collection[str], diary: Schedule, now: datetime
) -> Iterable[bool]:
    """Yield of each condition that the rule names whether it holds."""
    if rule.kind is not None:
        yield asked.kind == rule.kind
    if rule.below_rate is not None:
        # An amount in another currency is neither more nor less.
        same = rule.below_rate.currency == asked.rate.currency
        yield same and asked.rate < rule.below_rate
    if rule.unmatched is not None:
        yield _is_unmatched(asked, own) is rule.unmatched
    if rule.outside_hours is not None:
        outside = _all(asked, now, lambda start, end: not diary.is_within_hours(start, end))
        yield outside is rule.outside_hours
    if rule.on_vacation is not None:
        yield _all(asked, now, diary.is_away) is rule.on_vacation
    if rule.shorter_than is not None:
        shortest = rule.shorter_than
        yield bool(asked.slots) and all(slot.minutes < shortest for slot in asked.slots)
    if rule.customers is not None:
        yield asked.customer in rule.customers


def _is_unmatched(asked: RequestFacts, own: Collection[str]) -> bool:
    """Tell whether it asks for skills of which none is the expert's (R3).

    An expert who has not said which are theirs matches every skill.
    """
    return bool(asked.skills) and bool(own) and not matched(asked.skills, own)


def _all(asked: RequestFacts, now: datetime, holds: Callable[[datetime, datetime], bool]) -> bool:
    """Tell whether it holds of all the times proposed, or of now where help is needed at once."""
    return all(holds(start, end) for start, end in _times(asked, now))


def _times(asked: RequestFacts, now: datetime) -> list[Span]:
    if not asked.slots:
        return [(now, shifted(now, MICROSECOND))]
    return [
        (slot.start, shifted(slot.start, timedelta(minutes=slot.minutes))) for slot in asked.slots
    ]


@event_data
class Declining(EventRecord):
    """A rule that declines requests by itself: all that it names must hold of a request.

    `unmatched`: it asks for skills, and none is the expert's. `outside_hours`, `on_vacation` and
    `shorter_than` (minutes) look at its slots and hold if they hold of all; an instant request
    is now, and has no length.
    """

    reason: str = of(TEXT)
    kind: str | None = of(Choice("instant", "scheduled"), default=None)
    below_rate: Money | None = of(POSITIVE, default=None)
    unmatched: bool | None = of(BOOLEAN, default=None)
    outside_hours: bool | None = of(BOOLEAN, default=None)
    on_vacation: bool | None = of(BOOLEAN, default=None)
    shorter_than: int | None = of(MINUTES, default=None)
    customers: tuple[str, ...] | None = of(ListOf(ID), default=None)

    def check_whole(self) -> None:
        """Refuse a rule without a condition."""
        if all(getattr(self, each.name) is None for each in fields(self) if each.name != "reason"):
            raise InvalidEvent("reason", "stands alone: a rule names at least one condition")
