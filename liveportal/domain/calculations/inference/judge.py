"""Judge one reading: its amounts, the payouts that they explain, and which values are as good."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import NamedTuple

from liveportal.domain.calculations.inference import contents as paid
from liveportal.domain.calculations.inference.contents import Content, Policies
from liveportal.domain.calculations.inference.facts import Facts
from liveportal.domain.calculations.inference.readings import (
    MINIMUM,
    PERIOD,
    TERMS,
    Changes,
    Reading,
    Value,
    changed,
    choices,
    other_values,
)
from liveportal.domain.frozen import replace
from liveportal.domain.policy import Counts, SessionMonth


class Cut(NamedTuple):
    """What each payout pays, and the changes by which the months are cut so, the fewest first."""

    ways: tuple[Changes, ...]
    contents: tuple[Content, ...]


class Judge:
    """Judges readings by the facts of a book. Payouts are numbers: those that arrived, in order."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.payouts = paid.arrived(facts)
        self._contents: dict[tuple[str, str], tuple[Content, ...]] = {}
        self._divided: dict[tuple[int, ...], tuple[Content, ...]] = {}
        self._minimums: dict[tuple[Value | None, ...], tuple[int, Counts]] = {}

    @cached_property
    def adopted(self) -> Reading:
        """The rules as they are, with the payouts that they explain."""
        reading = self.judge({}, range(len(self.payouts)))
        explained = {number for number in reading.explained if self._is_enough(number, {})}
        return replace(reading, explained=frozenset(explained))

    @cached_property
    def cuts(self) -> list[Cut]:
        """The ways to divide sessions among payouts that differ, fewest changes first."""
        ways: dict[tuple[Content, ...], list[Changes]] = {}
        for choice in choices(PERIOD, self.facts):
            ways.setdefault(self.contents(choice.changes), []).append(choice.changes)
        return [Cut(tuple(changes), contents) for contents, changes in ways.items()]

    def contents(self, changes: Changes) -> tuple[Content, ...]:
        """Return what each payout pays under a reading."""
        period = self.facts.adopted.period
        zone = str(changes.get("period.timezone", period.timezone))
        month = str(changes.get("period.session_month", period.session_month))
        if (zone, month) not in self._contents:
            dues = paid.dues(self.facts, zone, SessionMonth(month))
            if dues not in self._divided:  # Many zones cut the months in the same way.
                self._divided[dues] = paid.divided(self.facts, dues)
            self._contents[zone, month] = self._divided[dues]
        return self._contents[zone, month]

    # --- one reading ------------------------------------------------------------------------------

    def _policies(self, changes: Changes) -> Policies:
        terms = {switch: value for switch, value in changes.items() if switch in TERMS}
        return tuple(changed(policy, terms) for policy in self.facts.policies)

    def judge(self, changes: Changes, numbers: Sequence[int]) -> Reading:
        """Return a reading with which of these payouts its amounts explain."""
        policies, contents = self._policies(changes), self.contents(changes)
        given = {}
        for number in numbers:
            bills = paid.grosses(contents[number], policies)
            given[number] = paid.amount(contents[number], bills, policies)
        explained = {
            number for number, minor in given.items() if minor == self.payouts[number].minor
        }
        return Reading(changes, frozenset(explained), given)

    def with_given(self, reading: Reading) -> Reading:
        """Return a reading with what it gives for the payouts that it does not explain."""
        missed = [number for number in range(len(self.payouts)) if number not in reading.explained]
        return replace(reading, given=self.judge(reading.changes, missed).given)

    def _minimum(self, changes: Changes) -> tuple[int, Counts]:
        """Return the minimum of a payout in minor units, and what it counts."""
        key = tuple(changes.get(switch) for switch in MINIMUM)
        if key not in self._minimums:
            own = {switch: value for switch, value in changes.items() if switch in MINIMUM}
            policy = changed(self.facts.adopted, own)
            self._minimums[key] = policy.payout_minimum.minor, policy.payout.minimum_counts
        return self._minimums[key]

    def _is_enough(self, number: int, changes: Changes) -> bool:
        """Return True if a payout that is explained is not below the minimum.

        The share that it counts is the payout itself; what counts on the gross is never less.
        """
        minimum, counts = self._minimum(changes)
        if self.payouts[number].minor >= minimum or counts is Counts.SHARE:
            return self.payouts[number].minor >= minimum
        policies, content = self._policies(changes), self.contents(changes)[number]
        bills = paid.grosses(content, policies)
        return paid.counted_minor(content, bills, policies, counts) >= minimum

    def _are_enough(self, reading: Reading, changes: Changes) -> bool:
        return all(self._is_enough(number, changes) for number in reading.explained)

    def with_minimum(self, reading: Reading) -> Reading:
        """Return a reading with a minimum that none of its payouts is below."""
        changes = next(self.minimums(reading), {})
        return replace(reading, changes={**reading.changes, **changes})

    def minimums(self, reading: Reading) -> Iterator[Changes]:
        """Yield the minimums that none of a reading's payouts is below.

        Fewest changes first, and the highest of these.
        """
        amounts: list[Value] = sorted(
            other_values("payout.minimum", self.facts), key=int, reverse=True
        )
        counts = other_values("payout.minimum_counts", self.facts)
        for changes in (
            {},
            *({"payout.minimum": amount} for amount in amounts),
            *({"payout.minimum_counts": count} for count in counts),
            *(
                {"payout.minimum": amount, "payout.minimum_counts": count}
                for amount, count in product(amounts, counts)
            ),
        ):
            if self._are_enough(reading, {**reading.changes, **changes}):
                yield changes

    # --- which values are as good -----------------------------------------------------------------

    def values(self, switch: str) -> list[Value | None]:
        """Return all values of a switch that are tried; None keeps those adopted."""
        return [None, *other_values(switch, self.facts)]

    def equal_values(self, switch: str, best: Sequence[Reading]) -> tuple[Value | None, ...]:
        """Return the values of a switch with which the best reading explains the same payouts."""
        values = self.values(switch)
        return tuple(value for value in values if not best or self._keeps(best[0], switch, value))

    def _keeps(self, reading: Reading, switch: str, value: Value | None) -> bool:
        """Return True if a reading explains no payout less with another value of a switch."""
        if reading.changes.get(switch) == value:
            return True
        kept = {name: old for name, old in reading.changes.items() if name != switch}
        changes = kept if value is None else {**kept, switch: value}
        policies, contents = self._policies(changes), self.contents(changes)
        for number in sorted(reading.explained, key=lambda number: contents[number].size):
            content = contents[number]
            bills = paid.grosses(content, policies)
            if paid.amount(content, bills, policies) != self.payouts[number].minor:
                return False
        return self._are_enough(reading, changes)
