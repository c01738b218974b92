"""The search for the readings that explain the payouts to the cent.

A payout is explained if it is what became payable since the payout before it (`contents`). So each
payout can be judged alone, and a reading that explains any of several payouts explains one of them:
the search finds all readings that explain one payout, and goes on with those that explain most of
the others. It ends when no reading that it has not seen can explain as many payouts as the best.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from liveportal.domain.calculations.inference import contents as paid
from liveportal.domain.calculations.inference.contents import Content, Policies
from liveportal.domain.calculations.inference.estimate import ContentEstimator, Terms, fees_that_fit
from liveportal.domain.calculations.inference.facts import Facts, PastPayout
from liveportal.domain.calculations.inference.judge import Cut, Judge
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
    choices,
    kept_value,
)
from liveportal.domain.frozen import frozen, replace
from liveportal.domain.policy import Deducts

MOST_READINGS = 10
"""The most readings that are shown, unless another number is given."""
_FEW_SESSIONS = 20
"""With fewer sessions than this, a payout is explained by too many readings to begin with it."""
_MOST_BILLS = 4096
"""The most lists of bills that are kept."""


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
    """What was found: the readings, best first, and what the payouts do not decide.

    `equal` are the values of each switch with which the best reading explains the same payouts.
    `undecided` are the switches of which this is every value. `ambiguous` are the others of which
    several values are possible, alone or together with other switches. `equally_good` readings
    explain as many payouts as the first, by other bills; `readings` may have only some of them.
    `steps_done` of `steps` is how far an interrupted search came.
    """

    payouts: tuple[PastPayout, ...]
    readings: tuple[Reading, ...]
    equally_good: int
    equal: Mapping[str, tuple[Value | None, ...]]
    undecided: tuple[str, ...]
    ambiguous: tuple[str, ...]
    is_complete: bool
    steps_done: int
    steps: int

    def value_of(self, switch: str, facts: Facts) -> Value | None:
        """Return the value of a switch in the first reading; None if sessions differ in it."""
        changes = self.readings[0].changes if self.readings else {}
        return changes.get(switch, kept_value(switch, facts))


class Search:
    """A search, step by step; `result` may be asked for at any time."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._judge = Judge(facts)
        self._payouts = self._judge.payouts
        self._found: dict[int, Reading] = {}
        self._seen: dict[str, set[Value | None]] = defaultdict(set)
        self._best = 0
        self._is_complete = False
        self._bills: dict[tuple[int, int, int], tuple[int, ...]] = {}
        self._seeds: tuple[int, dict[Content, Sequence[Candidate]]] = -1, {}
        self._steps_done = 0
        fees = [policy.fee.percent for policy in facts.policies]
        self._shares = [1 - fee.numerator / fee.denominator for fee in fees]

    @property
    def steps(self) -> int:
        """The number of steps that the search takes at most."""
        return len(self._order) * len(self._judge.cuts)

    def run(self) -> Iterator[int]:
        """Search; yield after each step how many steps are done with it."""
        self._best = len(self._judge.adopted.explained)
        for seen, payout in enumerate(self._order):
            if len(self._payouts) - seen < self._best:
                break  # A reading that was not seen explains none of the payouts seen.
            for cut in self._judge.cuts:
                self._complete(cut, payout)
                self._steps_done += 1
                yield 1
        self._is_complete = True
        yield self.steps - self._steps_done

    def result(self, limit: int = MOST_READINGS) -> Inference:
        """Return what was found so far, with at most so many readings; the adopted one is extra."""
        best = sorted(map(self._judge.with_minimum, self._found.values()), key=lambda r: r.rank)
        if not best and self._judge.adopted.explained:
            best = [self._judge.adopted]
        equal = {switch: self._judge.equal_values(switch, best[:1]) for switch in SEARCHED}
        undecided = [
            switch
            for switch, values in equal.items()
            if set(self._judge.values(switch)) == set(values)
        ]
        shown = best[:limit]
        if self._payouts and all(reading.changes for reading in shown):
            shown.append(self._judge.adopted)
        return Inference(
            payouts=tuple(self._payouts),
            readings=tuple(map(self._judge.with_given, shown)),
            equally_good=len(best),
            equal=equal,
            undecided=tuple(undecided),
            ambiguous=tuple(
                switch
                for switch in SEARCHED
                if switch not in undecided
                and len({*equal[switch], *self._values(switch, best)}) > 1
            ),
            is_complete=self._is_complete,
            steps_done=self._steps_done,
            steps=self.steps,
        )

    def _values(self, switch: str, best: Sequence[Reading]) -> set[Value | None]:
        """Return the values that a switch has in all readings that explain as many payouts."""
        if switch in MINIMUM and best:
            return {changes.get(switch) for changes in self._judge.minimums(best[0])}
        return self._seen[switch]

    # --- what is searched -------------------------------------------------------------------------

    @cached_property
    def _order(self) -> list[int]:
        """The payouts in the order in which they are searched: the quickest that decide much.

        A payout of tips alone is explained by any reading, so that no search begins with it.
        """
        sizes = [content.size for content in self._judge.contents({})]
        cuts = [cut.contents for cut in self._judge.cuts]
        return sorted(
            (n for n in range(len(sizes)) if all(contents[n].has_sessions for contents in cuts)),
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
        heap: list[tuple[int, int, int, Candidate, int, tuple[int, ...]]] = [
            (0, 0, next(serial), candidate, self._signature(cut, seed, candidate, 0), (seed,))
            for candidate in self._explaining_seed(cut.contents[seed], seed)
        ]
        while heap:
            missed, depth, _, candidate, signature, explained = heappop(heap)
            if len(self._payouts) - missed < self._best:
                return
            if depth == -len(others):
                reading = Reading({**candidate.changes, **cut.ways[0]}, frozenset(explained))
                self._add(reading, cut, signature)
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

    def _explaining_seed(self, content: Content, seed: int) -> Sequence[Candidate]:
        """Return all readings of the terms that explain a payout; cuts often share its content."""
        if self._seeds[0] != seed:
            self._seeds = seed, {}
        _, known = self._seeds
        if content not in known:
            known[content] = tuple(self._explaining(content, self._payouts[seed].minor))
        return known[content]

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
            for percent in fees_that_fit(sum(with_fee), without_fee, minor, estimator.tolerance):
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
        has_costs = cut.contents[number].has_costs
        terms = tuple(
            (policy.fee, policy.refund.deducts if has_costs else None)
            for policy in candidate.policies
        )
        return before ^ hash((number, bills, terms))

    def _add(self, reading: Reading, cut: Cut, signature: int) -> None:
        """Keep a reading if none explains more payouts, and none like it is nearer."""
        explained = len(reading.explained)
        if explained > self._best:
            self._best = explained
            self._found.clear()
            self._seen.clear()
        if explained < self._best:
            return
        for switch in TERMS:
            self._seen[switch].add(reading.changes.get(switch))
        for switch in PERIOD:
            self._seen[switch].update(changes.get(switch) for changes in cut.ways)
        known = self._found.get(signature)
        if known is None or reading.rank < known.rank:
            self._found[signature] = reading
