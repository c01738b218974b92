"""Other readings of the policy's switches: what the platform left open, and what else there is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from liveportal.domain.calculations.billing import bill
from liveportal.domain.entities import Session
from liveportal.domain.policy import (
    Deducts,
    Policy,
    Rounding,
    SessionMonth,
    TrialBilled,
    TrialBoundary,
)

BILLING: Mapping[str, tuple[object, ...]] = {
    "trial.minutes": (0, 5),  # R5 states five; other platforms have none.
    "trial.billed": tuple(map(str, TrialBilled)),
    "trial.boundary": tuple(map(str, TrialBoundary)),
    "billing.rounding": tuple(map(str, Rounding)),
    # A second, a minute, a tenth and a quarter of an hour: how platforms count time.
    "billing.increment_seconds": (1, 60, 360, 900),
    "billing.minimum_minutes": (0, 15),  # None was stated; elsewhere it is a quarter of an hour.
}
"""The switches that shape a session's bill, with the readings of each that are found."""

READINGS: Mapping[str, tuple[object, ...]] = {
    **BILLING,
    "refund.deducts": tuple(map(str, Deducts)),
    "period.session_month": tuple(map(str, SessionMonth)),
    "period.timezone": ("UTC",),  # And the expert's own.
}
"""Every switch that the platform left open and that moves money, with its readings.

Not the fee, which it stated (R11); and not what moves no money by itself: windows, silence, when
payouts are due.
"""

Interpretation = tuple[str, object]
"""A switch, and a value of it as a policy document has it."""


def other_readings(policies: Collection[Policy], own_zone: str) -> list[Interpretation]:
    """Return what at least one of a book's policies reads otherwise, switch by switch."""
    in_force = [policy.switches() for policy in policies]
    more = {"period.timezone": (own_zone,)}
    return [
        (switch, reading)
        for switch, readings in READINGS.items()
        for reading in dict.fromkeys((*readings, *more.get(switch, ())))
        if any(each[switch] != reading for each in in_force)
    ]


def means_nothing(reading: Interpretation, policies: Collection[Policy]) -> bool:
    """Tell whether a switch has no effect beside the others, in every policy that was adopted."""
    switch, _ = reading
    if switch == "billing.increment_seconds":
        return all(policy.billing.rounding is Rounding.EXACT for policy in policies)
    if switch in ("trial.minutes", "trial.boundary"):
        return all(policy.trial.billed is TrialBilled.NONE for policy in policies)
    return False


def under(policy: Policy, reading: Interpretation) -> Policy:
    """Return a policy with one switch read as given."""
    switch, value = reading
    table, _, key = switch.partition(".")
    document = policy.document
    return Policy.from_document({**document, table: {**document[table], key: value}})


def explanations(session: Session, policy: Policy) -> Iterator[Interpretation]:
    """Yield each other reading, of one switch, by which a session comes to what was billed."""
    for reading in other_readings_of(policy):
        reckoned = bill(session.active_us, session.rate, under(policy, reading)).gross
        if reckoned.minor == session.gross_minor:
            yield reading


def other_readings_of(policy: Policy) -> Iterator[Interpretation]:
    """Yield the readings of a session's bill that its policy does not have."""
    in_force = policy.switches()
    for switch, readings in BILLING.items():
        yield from ((switch, reading) for reading in readings if reading != in_force[switch])
