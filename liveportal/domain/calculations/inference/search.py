"""The search for the readings that explain the payouts to the cent.

A payout is explained if it is what became payable since the payout before it (`contents`). So each
payout can be judged alone, and a reading that explains any of several payouts explains one of them:
the search finds all readings that explain one payout, and goes on with those that explain most of
the others. It ends when no reading that it has not seen can explain as many payouts as the best.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from liveportal.domain.calculations.inference import contents as paid
from liveportal.domain.calculations.inference.contents import Content, Policies
from liveportal.domain.calculations.inference.estimate import ContentEstimator, Terms, fees_that_fit
from liveportal.domain.calculations.inference.facts import Facts
from liveportal.domain.calculations.inference.readings import (
    BILLING,
    MINIMUM,
    PERIOD,
    SEARCHED,
    TERMS,
    TRIAL,
    Changes,
    Choice,
    Reading,
    Value,
    changed,
    choices,
    kept_value,
    other_values,
)
from liveportal.domain.frozen import frozen, replace
from liveportal.domain.policy import Counts, Deducts, Policy, SessionMonth

_FEW_SESSIONS = 20
"""With fewer sessions than this, a payout is explained by too many readings to begin with it."""
_MOST_BILLS = 4096
"""The most lists of bills that are kept."""


class Cut(NamedTuple):
    """What each payout pays, and the changes by which the months are cut so."""

    changes: Changes
    contents: tuple[Content, ...]


class BillChoice(NamedTuple):
    """Changes of the switches that decide a bill, and what they make of each policy."""

    changes: Changes
    terms: Terms


class Candidate(NamedTuple):
    """A choice of each group of switches; `bills` numbers those that decide the bills."""

    bills: int
    changes: Changes
    policies: Policies


@frozen
class Inference:
    """What was found: the readings, best first, and what the payouts do not tell.

    `equal` are the values of each switch with which the best reading explains the same payouts.
    `undecided` are the switches of which this is every value, and `ambiguous` the others in which
    readings differ that explain equally many payouts. `steps_done` of `steps` is how far an
    interrupted search came.
    """

    payouts: tuple[str, ...]
    readings: tuple[Reading, ...]
    equal: Mapping[str, tuple[Value | None, ...]]
    undecided: tuple[str, ...]
    ambiguous: tuple[str, ...]
    is_complete: bool
    steps_done: int
    steps: int


class Search:
    """A search, step by step; `result` may be asked for at any time."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._payouts = paid.arrived(facts)
        self._cuts: dict[tuple[Value, Value], Cut] = {}
        self._found: dict[int, Reading] = {}
        self._best = 0
        self._is_complete = False
        self._bills: dict[tuple[int, int, int], tuple[int, ...]] = {}
        self._minimums: dict[tuple[Value | None, ...], tuple[int, Counts]] = {}
        self._steps_done = 0
        fees = [policy.fee.percent for policy in facts.policies]
        self._shares = [1 - fee.numerator / fee.denominator for fee in fees]

    @property
    def steps(self) -> int:
        """The number of steps that the search takes at most."""
        return len(self._payouts) * len(self._distinct_cuts)

    def run(self) -> Iterator[int]:
        """Search; yield after each step how many steps are done with it."""
        order = self._order
        self._best = len(self._adopted.explained)
        for seen, payout in enumerate(order):
            if len(order) - seen < self._best:
                break  # A reading that was not seen explains none of the payouts seen.
            for cut in self._distinct_cuts:
                self._complete(cut, payout)
                self._steps_done += 1
                yield 1
        self._is_complete = True
        yield self.steps - self._steps_done

    def result(self) -> Inference:
        """Return what was found so far."""
        readings = sorted(
            (self._with_minimum(reading) for reading in self._found.values()),
            key=lambda reading: reading.rank,
        )
        best = [each for each in readings if len(each.explained) == len(readings[0].explained)]
        if self._payouts and all(reading.changes for reading in best):
            best.append(self._adopted)
        equal = {switch: self._equal_values(switch, best) for switch in SEARCHED}
        undecided = [
            switch for switch, values in equal.items() if set(self._values(switch)) == set(values)
        ]
        return Inference(
            payouts=tuple(payout.id for payout in self._payouts),
            readings=tuple(best),
            equal=equal,
            undecided=tuple(undecided),
            ambiguous=tuple(self._ambiguous(best, undecided)),
            is_complete=self._is_complete,
            steps_done=self._steps_done,
            steps=self.steps,
        )

    # --- what is searched -------------------------------------------------------------------------

    @cached_property
    def _adopted(self) -> Reading:
        """The rules as they are, with the payouts that they explain."""
        reading = self._judge({}, range(len(self._payouts)))
        explained = {number for number in reading.explained if self._is_enough(number, {})}
        return replace(reading, explained=frozenset(explained))

    @cached_property
    def _distinct_cuts(self) -> list[Cut]:
        """The ways to divide sessions among payouts that differ, fewest changes first."""
        found: list[Cut] = []
        for choice in choices(PERIOD, self._facts):
            cut = self._cut(choice.changes)
            if all(cut.contents != other.contents for other in found):
                found.append(cut)
        return found

    def _cut(self, changes: Changes) -> Cut:
        period = self._facts.adopted.period
        zone = str(changes.get("period.timezone", period.timezone))
        month = str(changes.get("period.session_month", period.session_month))
        if (zone, month) not in self._cuts:
            divided = paid.contents(self._facts, zone, SessionMonth(month))
            own = {switch: value for switch, value in changes.items() if switch in PERIOD}
            self._cuts[zone, month] = Cut(own, divided)
        return self._cuts[zone, month]

    @cached_property
    def _order(self) -> list[int]:
        """The payouts in the order in which they are searched: the quickest that tell much."""
        sizes = [content.size for content in self._cut({}).contents]
        return sorted(
            range(len(sizes)),
            key=lambda number: (sizes[number] < _FEW_SESSIONS, abs(sizes[number] - _FEW_SESSIONS)),
        )

    @cached_property
    def _bill_choices(self) -> list[BillChoice]:
        """All combinations of the switches that decide a bill."""
        billings = list(choices(BILLING, self._facts))
        return [
            BillChoice(
                {**trial.changes, **billing.changes},
                tuple(
                    (one.trial, other.billing)
                    for one, other in zip(trial.policies, billing.policies, strict=True)
                ),
            )
            for trial in choices(TRIAL, self._facts)
            for billing in billings
        ]

    @cached_property
    def _deducts(self) -> list[Choice]:
        return list(choices(("refund.deducts",), self._facts))

    @cached_property
    def _fees(self) -> dict[tuple[Value | None, Value | None], Choice]:
        """The fees with what refunds deduct, by the values of both; None is what was adopted."""
        return {
            (choice.changes.get("fee.percent"), choice.changes.get("refund.deducts")): choice
            for choice in choices(("fee.percent", "refund.deducts"), self._facts)
        }

    # --- the search -------------------------------------------------------------------------------

    def _complete(self, cut: Cut, seed: int) -> None:
        """Find all readings that explain a payout and as many of the others as the best."""
        others = sorted(
            (number for number in range(len(self._payouts)) if number != seed),
            key=lambda number: cut.contents[number].size,
        )
        serial = count()
        # The fewest payouts missed first; of these, those that are judged furthest.
        heap = [
            (0, 0, next(serial), candidate, self._signature(cut, seed, candidate, 0), (seed,))
            for candidate in self._explaining(cut.contents[seed], self._payouts[seed].minor)
        ]
        while heap:
            missed, depth, _, candidate, signature, explained = heappop(heap)
            if len(self._payouts) - missed < self._best:
                return
            if depth == -len(others):
                changes = {**candidate.changes, **cut.changes}
                self._add(Reading(changes, frozenset(explained)), signature)
                continue
            number = others[-depth]
            bills = self._bills_of(cut, number, candidate)
            minor = paid.amount(cut.contents[number], bills, candidate.policies)
            if minor == self._payouts[number].minor:
                explained = (*explained, number)
            else:
                missed += 1
            signature = self._signature(cut, number, candidate, signature)
            heappush(heap, (missed, depth - 1, next(serial), candidate, signature, explained))

    def _explaining(self, content: Content, minor: int) -> Iterator[Candidate]:
        """Yield all readings of the terms that explain one payout."""
        estimator = ContentEstimator(content, len(self._facts.policies))
        for number, terms in enumerate(self._bill_choices):
            parts = estimator.parts(terms.terms)
            bills: tuple[int, ...] | None = None
            for other in self._fitting(estimator, parts, minor):
                policies = tuple(
                    replace(policy, trial=trial, billing=billing)
                    for policy, (trial, billing) in zip(other.policies, terms.terms, strict=True)
                )
                if bills is None:
                    bills = paid.grosses(content, policies)
                if paid.amount(content, bills, policies) == minor:
                    yield Candidate(number, {**terms.changes, **other.changes}, policies)

    def _fitting(
        self, estimator: ContentEstimator, parts: Sequence[tuple[float, float]], minor: int
    ) -> Iterator[Choice]:
        """Yield the fees, with what refunds deduct, under which a payout may be this amount."""
        for deducts in self._deducts:
            with_fee, without_fee = [], float(estimator.others_minor)
            for (earned, cost), policy in zip(parts, deducts.policies, strict=True):
                is_gross = policy.refund.deducts is Deducts.GROSS
                with_fee.append(earned if is_gross else earned + cost)
                without_fee += cost if is_gross else 0
            taken = deducts.changes.get("refund.deducts")
            kept = without_fee + sum(
                part * share for part, share in zip(with_fee, self._shares, strict=True)
            )
            if abs(kept - minor) <= estimator.tolerance:
                yield self._fees[None, taken]
            for percent in fees_that_fit(
                sum(with_fee), without_fee, minor, estimator.tolerance
            ):
                if fee := self._fees.get((str(percent), taken)):
                    yield fee

    def _bills_of(self, cut: Cut, number: int, candidate: Candidate) -> tuple[int, ...]:
        key = (id(cut.contents), number, candidate.bills)
        if key not in self._bills:
            if len(self._bills) >= _MOST_BILLS:
                self._bills.clear()
            self._bills[key] = paid.grosses(cut.contents[number], candidate.policies)
        return self._bills[key]

    def _signature(self, cut: Cut, number: int, candidate: Candidate, before: int) -> int:
        """Return what is the same for readings that no payout can ever tell apart."""
        bills = tuple(filter(None, self._bills_of(cut, number, candidate)))
        terms = tuple((policy.fee, policy.refund.deducts) for policy in candidate.policies)
        return before ^ hash((number, bills, terms))

    def _add(self, reading: Reading, signature: int) -> None:
        """Keep a reading if none explains more payouts, and none like it is nearer."""
        explained = len(reading.explained)
        if explained > self._best:
            self._best = explained
            self._found.clear()
        if explained < self._best or not explained:
            return
        known = self._found.get(signature)
        if known is None or reading.rank < known.rank:
            self._found[signature] = reading

    # --- one reading ------------------------------------------------------------------------------

    def _policies(self, changes: Changes) -> Policies:
        terms = {switch: value for switch, value in changes.items() if switch in TERMS}
        return tuple(changed(policy, terms) for policy in self._facts.policies)

    def _judge(self, changes: Changes, numbers: Sequence[int]) -> Reading:
        """Return a reading with which of these payouts its amounts explain."""
        policies, cut = self._policies(changes), self._cut(changes)
        given = {}
        for number in numbers:
            bills = paid.grosses(cut.contents[number], policies)
            given[number] = paid.amount(cut.contents[number], bills, policies)
        explained = {
            number for number, minor in given.items() if minor == self._payouts[number].minor
        }
        return Reading(changes, frozenset(explained), given)

    def _minimum(self, changes: Changes) -> tuple[int, Counts]:
        """Return the minimum of a payout in minor units, and what it counts."""
        key = tuple(changes.get(switch) for switch in MINIMUM)
        if key not in self._minimums:
            own = {switch: value for switch, value in changes.items() if switch in MINIMUM}
            policy = changed(self._facts.adopted, own)
            self._minimums[key] = policy.payout_minimum.minor, policy.payout.minimum_counts
        return self._minimums[key]

    def _is_enough(self, number: int, changes: Changes) -> bool:
        """Return True if a payout that is explained is not below the minimum.

        The share that it counts is the payout itself; what counts on the gross is never less.
        """
        minimum, counts = self._minimum(changes)
        if self._payouts[number].minor >= minimum or counts is Counts.SHARE:
            return self._payouts[number].minor >= minimum
        policies, content = self._policies(changes), self._cut(changes).contents[number]
        bills = paid.grosses(content, policies)
        return paid.counted_minor(content, bills, policies, counts) >= minimum

    def _are_enough(self, reading: Reading, changes: Changes) -> bool:
        return all(self._is_enough(number, changes) for number in reading.explained)

    def _with_minimum(self, reading: Reading) -> Reading:
        """Return a reading with a minimum that none of its payouts is below: the highest one."""
        minimums = sorted(other_values("payout.minimum", self._facts), key=int, reverse=True)
        counts = other_values("payout.minimum_counts", self._facts)
        tried: list[Changes] = [
            {},
            *({"payout.minimum": value} for value in minimums),
            *({"payout.minimum_counts": value} for value in counts),
        ]
        for extra in tried:
            changes = {**reading.changes, **extra}
            if self._are_enough(reading, changes):
                return replace(reading, changes=changes)
        return reading

    # --- what the payouts tell --------------------------------------------------------------------

    def _values(self, switch: str) -> list[Value | None]:
        """Return all values of a switch that are tried; None keeps those adopted."""
        return [None, *other_values(switch, self._facts)]

    def _equal_values(self, switch: str, best: Sequence[Reading]) -> tuple[Value | None, ...]:
        """Return the values of a switch with which the best reading explains the same payouts."""
        values = self._values(switch)
        return tuple(
            value for value in values if not best or self._keeps(best[0], switch, value)
        )

    def _keeps(self, reading: Reading, switch: str, value: Value | None) -> bool:
        """Return True if a reading explains no payout less with another value of a switch."""
        if reading.changes.get(switch) == value:
            return True
        changes = {**reading.changes, switch: value}
        changes = {name: new for name, new in changes.items() if new is not None}
        policies, cut = self._policies(changes), self._cut(changes)
        for number in sorted(reading.explained, key=lambda number: cut.contents[number].size):
            content = cut.contents[number]
            bills = paid.grosses(content, policies)
            if paid.amount(content, bills, policies) != self._payouts[number].minor:
                return False
        return self._are_enough(reading, changes)

    def _ambiguous(self, best: Sequence[Reading], undecided: Sequence[str]) -> Iterator[str]:
        equals = [each for each in best if len(each.explained) == len(best[0].explained)]
        for switch in SEARCHED:
            values = {reading.changes.get(switch) for reading in equals}
            if len(values) > 1 and switch not in undecided:
                yield switch


def value_of(switch: str, reading: Reading, facts: Facts) -> Value | None:
    """Return the value of a switch in a reading; None if it keeps several."""
    return reading.changes.get(switch, kept_value(switch, facts))


def policy_of(reading: Reading, adopted: Policy) -> Policy:
    """Return the adopted policy with the changes of a reading."""
    return changed(adopted, reading.changes)
