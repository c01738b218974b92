"""The readings that are searched: values of the switches by which payouts may differ.

A reading is a set of changes: switches with the values that they have instead of those adopted. A
switch that is not changed keeps the value under which each session was agreed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import product

from liveportal.domain.calculations.inference.facts import Facts
from liveportal.domain.frozen import frozen
from liveportal.domain.interpretations import has_no_effect, with_interpretation
from liveportal.domain.policy import (
    Counts,
    Deducts,
    Policy,
    Rounding,
    SessionMonth,
    TrialBilled,
    TrialBoundary,
)

Value = str | int
"""The value of a switch, as in a policy document."""
Changes = Mapping[str, Value]

TRIAL: Mapping[str, tuple[Value, ...]] = {
    "trial.minutes": tuple(range(16)),
    "trial.billed": tuple(map(str, TrialBilled)),
    "trial.boundary": tuple(map(str, TrialBoundary)),
}
BILLING: Mapping[str, tuple[Value, ...]] = {
    "billing.rounding": tuple(map(str, Rounding)),
    "billing.increment_seconds": (1, 60, 300, 360, 600, 900, 1800, 3600),
    "billing.minimum_minutes": (0, 5, 10, 15, 30, 60),
}
TERMS: Mapping[str, tuple[Value, ...]] = {
    **TRIAL,
    **BILLING,
    "fee.percent": tuple(map(str, range(101))),
    "refund.deducts": tuple(map(str, Deducts)),
}
"""The switches that decide the amounts of a session."""
PERIOD: Mapping[str, tuple[Value, ...]] = {
    "period.timezone": (),  # Those of the facts.
    "period.session_month": tuple(map(str, SessionMonth)),
}
"""The switches that decide which payout pays a session."""
MINIMUM: Mapping[str, tuple[Value, ...]] = {
    "payout.minimum": tuple(map(str, (0, 10, 20, 25, 50, 100, 200, 250, 500, 1000))),
    "payout.minimum_counts": tuple(map(str, Counts)),
}
"""The switches that decide whether a payout is made."""
SEARCHED = (*TERMS, *PERIOD, *MINIMUM)
"""Every switch that is searched."""


@frozen
class Choice:
    """Changes of some switches, and the policies that they make of those of the sessions."""

    changes: Changes
    policies: tuple[Policy, ...]


@frozen
class Reading:
    """Changes, the payouts that they explain, and what they give for the others (minor units)."""

    changes: Changes
    explained: frozenset[int] = frozenset()
    given: Mapping[int, int] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[int, int, tuple[str, ...]]:
        """The order of readings, best first (see `policy infer`)."""
        names = tuple(f"{switch}={value}" for switch, value in sorted(self.changes.items()))
        return -len(self.explained), len(self.changes), names


def values_of(switch: str, facts: Facts) -> tuple[Value, ...]:
    """Return all values of a switch that are searched, without the one that is kept."""
    listed = {**TERMS, **PERIOD, **MINIMUM}[switch]
    return tuple(dict.fromkeys(facts.zones)) if switch == "period.timezone" else listed


def other_values(switch: str, facts: Facts) -> list[Value]:
    """Return the searched values of a switch that are a change in at least one policy."""
    kept = {policy.switches()[switch] for policy in _judged_by(switch, facts)}
    if switch == "payout.minimum":
        minimum = facts.adopted.payout_minimum.minor
        return [
            value
            for value in values_of(switch, facts)
            if changed(facts.adopted, {switch: value}).payout_minimum.minor != minimum
        ]
    return [value for value in values_of(switch, facts) if kept != {value}]


def kept_value(switch: str, facts: Facts) -> Value | None:
    """Return the value that a switch has without a change; None if sessions differ in it."""
    kept = {policy.switches()[switch] for policy in _judged_by(switch, facts)}
    return kept.pop() if len(kept) == 1 else None


def _judged_by(switch: str, facts: Facts) -> Sequence[Policy]:
    return facts.policies if switch in TERMS else (facts.adopted,)


def changed(policy: Policy, changes: Changes) -> Policy:
    """Return a policy with changes."""
    for change in changes.items():
        policy = with_interpretation(policy, change)
    return policy


def choices(switches: Iterable[str], facts: Facts) -> Iterator[Choice]:
    """Yield all combinations of some switches that differ in effect, those kept first."""
    options = {switch: [None, *other_values(switch, facts)] for switch in switches}
    combined = (
        {switch: value for switch, value in zip(options, values, strict=True) if value is not None}
        for values in product(*options.values())
    )
    for changes in sorted(combined, key=len):
        policies = tuple(changed(policy, changes) for policy in facts.policies)
        if not any(has_no_effect((switch, value), policies) for switch, value in changes.items()):
            yield Choice(changes, policies)
