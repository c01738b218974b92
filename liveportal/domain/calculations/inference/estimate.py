"""Which rules may explain a payout: a quick estimate that leaves out no rules that do.

The bills of thousands of readings are not calculated one by one. The billed time of the sessions is
calculated once for each rounding and each length of trial, in order of their length, so that a
trial that bills the whole session and a minimum are sums over a part of them. An estimate leaves
out the rounding of each amount, by less than one minor unit for each amount.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import ceil, floor

from liveportal.domain.calculations.billing import MINUTE_US, after_trial, shaped
from liveportal.domain.calculations.inference.contents import Content, gross_part
from liveportal.domain.frozen import frozen, replace
from liveportal.domain.policy import BillingTerms, TrialBilled, TrialTerms

Terms = Sequence[tuple[TrialTerms, BillingTerms]]
"""What decides the bills of the sessions of each policy."""


@frozen
class _Rounded:
    """Billable times as rounded, in ascending order, with the sums of rates from each one on.

    `rates` are the sums of the rates, `weights` those of rate times rounded time.
    """

    rounded: Sequence[int]
    rates: Sequence[int]
    weights: Sequence[int]

    def total(self, first: int, minimum_us: int) -> int:
        """Return the sum of rate times billed time from a session on, each at least a minimum."""
        above = max(first, bisect_left(self.rounded, minimum_us))
        return minimum_us * (self.rates[first] - self.rates[above]) + self.weights[above]


class GrossEstimator:
    """Estimates what sessions are billed, each by its time on the timer and its rate.

    Times are microseconds. A rate may be the sum of several, or negative for what is taken back.
    """

    def __init__(self, bills: Iterable[tuple[int, int]]) -> None:
        rates: dict[int, int] = defaultdict(int)
        for active_us, rate in bills:
            rates[active_us] += rate
        self._bills = sorted(rates.items())
        self._actives = [active_us for active_us, _ in self._bills]
        self._known: dict[tuple[object, ...], _Rounded] = {}
        self._firsts: dict[TrialTerms, int] = {}

    def gross(self, trial: TrialTerms, billing: BillingTerms) -> float:
        """Return the gross of all sessions before rounding, in minor units."""
        if not self._bills:
            return 0
        minimum_us = billing.minimum_minutes * MINUTE_US
        if trial.billed is TrialBilled.AFTER_TRIAL:
            return self._rounded(trial, billing).total(0, minimum_us) / MINUTE_US
        if trial not in self._firsts:
            # Zero for sessions within the trial, which are the shortest.
            self._firsts[trial] = bisect_left(
                self._actives, 1, key=lambda active_us: after_trial(active_us, trial)
            )
        rounded = self._rounded(_NO_TRIAL, billing)
        return rounded.total(self._firsts[trial], minimum_us) / MINUTE_US

    def _rounded(self, trial: TrialTerms, billing: BillingTerms) -> _Rounded:
        minutes = trial.minutes if trial is not _NO_TRIAL else None
        key = (minutes, billing.rounding, billing.increment_seconds)
        if key not in self._known:
            self._known[key] = self._calculate(trial, replace(billing, minimum_minutes=0))
        return self._known[key]

    def _calculate(self, trial: TrialTerms, billing: BillingTerms) -> _Rounded:
        rounded, rates = [], []
        for active_us, rate in self._bills:
            billable_us = after_trial(active_us, trial)
            rounded.append(shaped(billable_us, billing))
            rates.append(rate if billable_us else 0)  # No minimum where there is no time to bill.
        weights = [rate * time for rate, time in zip(rates, rounded, strict=True)]
        return _Rounded(rounded, _sums_from(rates), _sums_from(weights))


_NO_TRIAL = TrialTerms(billed=TrialBilled.NONE)


def _sums_from(values: Sequence[int]) -> list[int]:
    """Return the sum from each value to the last one, and 0 at the end."""
    return [*reversed(list(accumulate(reversed(values)))), 0]


class ContentEstimator:
    """Estimates what a payout pays, by what a fee is taken from and what refunds cost.

    A claim for a part is taken for its whole amount: rules under which the bill was less contradict
    the claim.
    """

    def __init__(self, content: Content, policies: int) -> None:
        earned: list[list[tuple[int, int]]] = [[] for _ in range(policies)]
        costs: list[list[tuple[int, int]]] = [[] for _ in range(policies)]
        self._earned, self._costs = [0] * policies, [0] * policies
        for (number, active_us, rate), count in content.bills:
            earned[number].append((active_us, rate.minor * count))
        for (number, gross_minor), count in content.billed:
            self._earned[number] += gross_minor * count
        for session, pieces in content.claimed:
            number = session.policy
            for piece in pieces:
                part = gross_part(session, piece)
                bills, known = (
                    (costs, self._costs) if piece.kind == "cost" else (earned, self._earned)
                )
                known[number] += piece.sign * part.minor
                if part.is_of_bill:
                    bills[number].append((session.active_us, piece.sign * session.rate.minor))
        self._bills = [
            (GrossEstimator(mine), GrossEstimator(back))
            for mine, back in zip(earned, costs, strict=True)
        ]
        self.others_minor = sum(content.others)
        amounts = [count for _, count in (*content.bills, *content.billed)]
        self.tolerance = 1 + sum(amounts) + 2 * sum(len(pieces) for _, pieces in content.claimed)

    def parts(self, terms: Terms) -> list[tuple[float, float]]:
        """Return for each policy what sessions earn and what refunds take, before the fee."""
        return [
            (
                earned + self._bills[number][0].gross(trial, billing),
                cost + self._bills[number][1].gross(trial, billing),
            )
            for number, (earned, cost, (trial, billing)) in enumerate(
                zip(self._earned, self._costs, terms, strict=True)
            )
        ]


def fees_that_fit(with_fee: float, without_fee: float, minor: int, tolerance: int) -> Iterator[int]:
    """Yield the whole percentages under which a payout may be this amount."""
    if abs(with_fee) <= tolerance:
        if abs(minor - without_fee) <= 2 * tolerance:
            yield from range(101)
        return
    middle = 100 - 100 * (minor - without_fee) / with_fee
    slack = 100 * tolerance / abs(with_fee)
    yield from range(max(ceil(middle - slack), 0), min(floor(middle + slack), 100) + 1)
