"""What plain sessions would earn under another interpretation of the policy.

A plain session ended and was billed once, by its policy, and nothing followed but tips: no claim,
correction, reversal or second report. So its amounts follow from its times alone, without a replay
of the journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from liveportal.domain.calculations.billing import bill
from liveportal.domain.clock import month_of
from liveportal.domain.frozen import frozen
from liveportal.domain.interpretations import Interpretation, with_interpretation
from liveportal.domain.money import Money, share_of
from liveportal.domain.policy import Policy, SessionMonth


class PlainSession(NamedTuple):
    """A plain session; `policy` is the seq of its own policy, `in_force` of that when it ended."""

    active_us: int
    rate_minor: int
    policy: int
    in_force: int
    start: datetime
    end: datetime
    period: str


class Tip(NamedTuple):
    """A tip for a plain session, in minor units."""

    time: datetime
    period: str
    minor: int


@frozen
class PlainBook:
    """The plain sessions of a book, and their tips. `policy_at` returns the policy of a seq."""

    sessions: Sequence[PlainSession]
    tips: Sequence[Tip]
    policy_at: Callable[[int], Policy]
    currency: str

    def net_by_month(self, interpretation: Interpretation) -> Counter[str]:
        """Return what they earn in each month under an interpretation, in minor units.

        Raises `AmountTooLarge` if a bill would be too large.
        """
        switch, _ = interpretation

        @cache
        def policy_of(seq: int) -> Policy:
            return with_interpretation(self.policy_at(seq), interpretation)

        @cache  # Many sessions have the same length and rate.
        def share(active_us: int, rate_minor: int, policy: int) -> int:
            rules = policy_of(policy)
            gross = bill(active_us, Money(rate_minor, self.currency), rules).gross
            return share_of(gross.minor, rules.fee.percent)

        months: Counter[str] = Counter()
        if not switch.startswith("period."):
            for each in self.sessions:
                months[each.period] += share(*each[:3])
            for tip in self.tips:
                months[tip.period] += tip.minor
            return months
        for each in self.sessions:
            period = policy_of(each.in_force).period
            counts_at = each.start if period.session_month is SessionMonth.START else each.end
            months[month_of(counts_at, period.timezone)] += share(*each[:3])
        for tip in self.tips:
            zone = interpretation[1] if switch == "period.timezone" else None
            months[month_of(tip.time, str(zone)) if zone else tip.period] += tip.minor
        return months
