"""What a month would be if the platform were read otherwise: a book retold under one reading.

A book is retold by playing its journal back with one switch read otherwise in every policy that was
adopted. What the platform stated as a fact stands: amounts that it billed, and what it paid out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import field, replace

from liveportal.domain.errors import LiveportalError
from liveportal.domain.events.envelope import Event
from liveportal.domain.events.types import (
    ArtifactAdded,
    CustomerForgotten,
    EntryReversed,
    PayoutProfileChanged,
    PayoutProfileRevealed,
    PayoutSent,
    PayoutStatusChanged,
    PolicyAdopted,
    PreferencesChanged,
    RefundClaimed,
    ReviewPosted,
)
from liveportal.domain.interpretations import Interpretation, under
from liveportal.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An event that a reading refuses, and why."""

    seq: int
    event: Event
    error: LiveportalError


@dataclass(slots=True)
class EventRewriter:
    """A journal's events told again under one reading, and which of them it refused.

    Payouts are left out, since they were sent whatever the reading: what they took is for the
    caller to take. `whole_claims` are the claims for all that was left of a session: under another
    bill they are for all of that.
    """

    reading: Interpretation
    whole_claims: Collection[str] = ()
    left_out: list[LeftOut] = field(default_factory=list)
    _missing: set[str] = field(default_factory=set)
    _payouts: set[tuple[str, str]] = field(default_factory=set)

    def tell(self, event: Event) -> Event | None:
        """Return what is to be recorded in an event's place; None: nothing."""
        data = event.data
        if isinstance(data, PayoutSent | PayoutStatusChanged):
            self._payouts.add((event.source, event.id))
            return None
        if isinstance(data, _MOVING_NOTHING) or data.thing in self._missing:
            return None
        if isinstance(data, EntryReversed) and (data.event.source, data.event.id) in self._payouts:
            return None
        if isinstance(data, PolicyAdopted):
            return replace(event, data=replace(data, policy=under(data.policy, self.reading)))
        if isinstance(data, RefundClaimed) and data.claim in self.whole_claims:
            return replace(event, data=replace(data, amount=None))
        return event

    def refused(self, seq: int, event: Event, error: LiveportalError) -> None:
        """Take note of an event that cannot be under this reading; what follows goes with it."""
        self.left_out.append(LeftOut(seq, event, error))
        if isinstance(event.data, RefundClaimed):
            self._missing.add(event.data.thing)


_MOVING_NOTHING = (
    *(ArtifactAdded, CustomerForgotten, PayoutProfileChanged, PayoutProfileRevealed),
    *(PreferencesChanged, ReviewPosted),
)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a month would be under a reading, in minor units; `reading` None: as it was booked."""

    reading: Interpretation | None
    net_minor: int
    owed_minor: int
    left_out: tuple[LeftOut, ...] = ()


def extremes(bounds: Iterable[Bound]) -> tuple[int, int]:
    """Return the lowest and the highest net."""
    nets = [each.net_minor for each in bounds]
    return min(nets), max(nets)
