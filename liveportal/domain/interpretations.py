"""Alternative interpretations of the policy's switches that the platform did not specify."""

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

BILLING: Mapping[str, tuple[str | int, ...]] = {
    "trial.minutes": (0, 5),  # R5 states five; other platforms have none.
    "trial.billed": tuple(map(str, TrialBilled)),
    "trial.boundary": tuple(map(str, TrialBoundary)),
    "billing.rounding": tuple(map(str, Rounding)),
    # A second, a minute, a tenth and a quarter of an hour: the usual increments of platforms.
    "billing.increment_seconds": (1, 60, 360, 900),
    "billing.minimum_minutes": (0, 15),  # No minimum was stated; other platforms use 15 minutes.
}
"""The switches that affect a session's bill, with the interpretations of each in use."""

INTERPRETATIONS: Mapping[str, tuple[str | int, ...]] = {
    **BILLING,
    "refund.deducts": tuple(map(str, Deducts)),
    "period.session_month": tuple(map(str, SessionMonth)),
    "period.timezone": ("UTC",),  # And the expert's own zone.
}
"""Every switch that the platform left open and that affects amounts, with its interpretations.

The fee is not included, since it is stated (R11), and neither are switches that change no amount by
themselves: windows, silence, when payouts are due.
"""

Interpretation = tuple[str, str | int]
"""A switch, and one of its values as in a policy document."""


def other_interpretations(policies: Collection[Policy], own_zone: str) -> list[Interpretation]:
    """Return the interpretations that at least one of the policies does not have, by switch."""
    in_force = [policy.switches() for policy in policies]
    more = {"period.timezone": (own_zone,)}
    return [
        (switch, value)
        for switch, values in INTERPRETATIONS.items()
        for value in dict.fromkeys((*values, *more.get(switch, ())))
        if any(switches[switch] != value for switches in in_force)
    ]


def has_no_effect(interpretation: Interpretation, policies: Collection[Policy]) -> bool:
    """Return True if, given the other switches, this one has no effect in any of the policies."""
    switch, _ = interpretation
    if switch == "billing.increment_seconds":
        return all(policy.billing.rounding is Rounding.EXACT for policy in policies)
    if switch in ("trial.minutes", "trial.boundary"):
        return all(policy.trial.billed is TrialBilled.NONE for policy in policies)
    return False


def with_interpretation(policy: Policy, interpretation: Interpretation) -> Policy:
    """Return a policy with one switch set to an interpretation."""
    switch, value = interpretation
    table, _, key = switch.partition(".")
    document = policy.document
    return Policy.from_document({**document, table: {**document[table], key: value}})


def explanations(session: Session, policy: Policy) -> Iterator[Interpretation]:
    """Yield the alternative interpretations under which a session's bill equals its gross."""
    for interpretation in _other_billing_interpretations(policy):
        gross = bill(
            session.active_us, session.rate, with_interpretation(policy, interpretation)
        ).gross
        if gross.minor == session.gross_minor:
            yield interpretation


def _other_billing_interpretations(policy: Policy) -> Iterator[Interpretation]:
    """Yield the billing interpretations that a policy does not have."""
    in_force = policy.switches()
    for switch, values in BILLING.items():
        yield from ((switch, value) for value in values if value != in_force[switch])
