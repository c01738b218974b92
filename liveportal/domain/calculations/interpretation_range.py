"""The range of a month's figures under other interpretations of the policy.

The journal is replayed with one switch set to another value in every policy that was adopted. Facts
stated by the platform are kept: the amounts that it billed, and the payouts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

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
from liveportal.domain.frozen import frozen
from liveportal.domain.interpretations import Interpretation, with_interpretation


@frozen
class LeftOut:
    """An event that an interpretation refuses, with the error."""

    seq: int
    event: Event
    error: LiveportalError


@dataclass(slots=True)
class EventRewriter:
    """Rewrites a journal's events for one interpretation, and collects those it refuses.

    Payouts are left out, since they were sent under any interpretation: the caller must deduct
    them. `whole_claims` are the claims for the whole unrefunded part of a session: under another
    bill they are for the whole of that.
    """

    reading: Interpretation
    whole_claims: Collection[str] = ()
    left_out: list[LeftOut] = field(default_factory=list)
    _missing: set[str] = field(default_factory=set)
    _payouts: set[tuple[str, str]] = field(default_factory=set)

    def rewrite(self, event: Event) -> Event | None:
        """Return the event to record in an event's place, or None to skip it."""
        data = event.data
        if isinstance(data, PayoutSent | PayoutStatusChanged):
            self._payouts.add((event.source, event.id))
            return None
        if isinstance(data, _WITHOUT_AMOUNTS) or data.entity in self._missing:
            return None
        if isinstance(data, EntryReversed) and (data.event.source, data.event.id) in self._payouts:
            return None
        if isinstance(data, PolicyAdopted):
            return replace(
                event, data=replace(data, policy=with_interpretation(data.policy, self.reading))
            )
        if isinstance(data, RefundClaimed) and data.claim in self.whole_claims:
            return replace(event, data=replace(data, amount=None))
        return event

    def refused(self, seq: int, event: Event, error: LiveportalError) -> None:
        """Record that an event is refused; later events about the same claim are skipped."""
        self.left_out.append(LeftOut(seq, event, error))
        if isinstance(event.data, RefundClaimed):
            self._missing.add(event.data.entity)


_WITHOUT_AMOUNTS = (
    *(ArtifactAdded, CustomerForgotten, PayoutProfileChanged, PayoutProfileRevealed),
    *(PreferencesChanged, ReviewPosted),
)


@frozen
class Bound:
    """A month's figures under an interpretation, in minor units; None: as booked."""

    reading: Interpretation | None
    net_minor: int
    owed_minor: int
    left_out: tuple[LeftOut, ...] = ()


def extremes(bounds: Iterable[Bound]) -> tuple[int, int]:
    """Return the lowest and the highest net, in minor units."""
    nets = [bound.net_minor for bound in bounds]
    return min(nets), max(nets)
