"""The bill of a session in steps that a reader can check with a pocket calculator.

This module is part of page format 3 (`pages`): what it writes never changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from liveportal.domain.calculations.billing import (
    MINUTE_US,
    active_time,
    after_trial,
    gross_of,
    shaped,
)
from liveportal.domain.clock import microseconds
from liveportal.domain.entities import Session
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money, Percent, share_of
from liveportal.domain.policy import Policy, Rounding, TrialBilled, TrialBoundary
from liveportal.exports.local_time import local_text, seconds_text, span_text

MINUS, TIMES, DIVIDED_BY = "\u2212", "\u00d7", "\u00f7"
_RULE_CODE = re.compile(r"R[0-9]+")
_ROUNDED = {
    Rounding.UP: "rounded up to",
    Rounding.DOWN: "rounded down to",
    Rounding.NEAREST: "rounded to the nearest",
}


@frozen
class BillStep:
    """One step of a bill: its name, how it is calculated, and the result."""

    name: str
    how: str
    result: str


class PlatformRules:
    """The platform's rules by their codes, as far as a policy names them as its source."""

    def __init__(self, policy: Policy) -> None:
        self._source = policy.source

    def cite(self, switch: str) -> str:
        """Return ` (platform rule R8)` for a switch; empty if the policy names no rule for it."""
        match = _RULE_CODE.match(self._source.get(switch, ""))
        return f" (platform rule {match[0]})" if match else ""

    def cite_code(self, code: str) -> str:
        """Return ` (platform rule R6)` if the policy is made from the platform's stated rules."""
        if any(_RULE_CODE.match(source) for source in self._source.values()):
            return f" (platform rule {code})"
        return ""


def bill_steps(session: Session, policy: Policy, zone_name: str) -> list[BillStep]:
    """Return the steps from the start of an ended session to the expert's share."""
    if session.start is None or session.end is None:
        return []
    return [*_time_steps(session, policy, zone_name), *_money_steps(session, policy)]


def _time_steps(session: Session, policy: Policy, zone_name: str) -> Iterator[BillStep]:
    """Yield the steps from the start and the end of the session to the billed time."""
    assert session.start is not None  # noqa: S101 (the caller checks)
    assert session.end is not None  # noqa: S101 (the caller checks)
    rules = PlatformRules(policy)
    elapsed_us = microseconds(session.end - session.start)
    active_us = active_time(session.start, session.end, session.pauses)
    yield BillStep(
        "Length of the session",
        f"From {_exact(session.start, zone_name)} to {_exact(session.end, zone_name)}",
        span_text(elapsed_us),
    )
    if session.pauses:
        pauses = "; ".join(
            f"{_exact(since, zone_name)} to {_exact(until, zone_name)}"
            for since, until in session.pauses
        )
        yield BillStep("Pauses", pauses, span_text(elapsed_us - active_us))
        yield BillStep(
            "Time on the timer",
            f"{span_text(elapsed_us)} {MINUS} {span_text(elapsed_us - active_us)}."
            f" Paused time is not charged{rules.cite_code('R6')}.",
            span_text(active_us),
        )
    billable_us = after_trial(active_us, policy.trial)
    if policy.trial.minutes and policy.trial.billed is not TrialBilled.NONE:
        how = _trial_text(policy, rules, active_us, billable_us)
        yield BillStep("Time to bill", how, span_text(billable_us))
    billed_us = shaped(billable_us, policy.billing)
    if billed_us != billable_us:
        yield BillStep("Time billed", _rounding_text(policy, rules), span_text(billed_us))


def _exact(instant: datetime, zone_name: str) -> str:
    """Return a time as it is in the bill: to the second, with its fraction if it has one."""
    text = local_text(instant, zone_name)
    if not instant.microsecond:
        return text
    fraction = f"{instant.microsecond:06d}".rstrip("0")
    return f"{text[:19]}.{fraction}{text[19:]}"


def _trial_text(policy: Policy, rules: PlatformRules, active_us: int, billable_us: int) -> str:
    trial = policy.trial
    minutes = _minutes(trial.minutes)
    rule = f"The trial of {minutes} is free{rules.cite('trial.minutes')}."
    if not billable_us:
        longest = "less than" if trial.boundary is TrialBoundary.FROM else "not more than"
        return f"{rule} The timer ran for {longest} {minutes}, so nothing is charged."
    if billable_us == active_us:
        shortest = "at least" if trial.boundary is TrialBoundary.FROM else "more than"
        return f"{rule} The timer ran for {shortest} {minutes}, so all of its time is charged."
    return (
        f"{rule} Only the time after it is charged:"
        f" {span_text(active_us)} {MINUS} {span_text(active_us - billable_us)}"
    )


def _minutes(number: int) -> str:
    return f"{number} minute" if number == 1 else f"{number} minutes"


def _rounding_text(policy: Policy, rules: PlatformRules) -> str:
    billing = policy.billing
    effects = []
    if billing.rounding is not Rounding.EXACT:
        effects.append(
            f"{_ROUNDED[billing.rounding]} a multiple of {billing.increment_seconds} seconds"
            f"{rules.cite('billing.rounding')}"
        )
    if billing.minimum_minutes:
        effects.append(
            f"at least {_minutes(billing.minimum_minutes)}{rules.cite('billing.minimum_minutes')}"
        )
    text = ", and ".join(effects)
    return f"{text[:1].upper()}{text[1:]}"


def _money_steps(session: Session, policy: Policy) -> Iterator[BillStep]:
    """Yield the steps from the billed time to the expert's share."""
    rules = PlatformRules(policy)
    currency = session.currency
    assert session.start is not None  # noqa: S101 (the caller checks)
    assert session.end is not None  # noqa: S101 (the caller checks)
    active_us = active_time(session.start, session.end, session.pauses)
    billed_us = shaped(after_trial(active_us, policy.trial), policy.billing)
    expected = gross_of(session.rate, billed_us)
    gross = Money(session.gross_minor, currency)
    rate = f"{session.rate} {currency}"
    is_exact = session.rate.minor * billed_us % MINUTE_US == 0
    yield BillStep(
        "Price by the timer",
        f"{_factor(billed_us)} {TIMES} {session.rate}{'' if is_exact else ', rounded'}. The rate is"
        f" {rate} a minute; it was agreed before the session{rules.cite_code('R4')}.",
        f"{expected} {currency}",
    )
    if gross != expected:
        yield BillStep(
            "Amount billed",
            "The platform billed another amount than the price by the timer, and this amount"
            " applies.",
            f"{gross} {currency}",
        )
    share = Money(session.share_minor, currency)
    fee = Money(session.fee_minor, currency)
    percent = policy.fee.percent
    how = f"The platform keeps {percent} % of what the customer paid{rules.cite('fee.percent')}."
    if session.share_minor == share_of(session.gross_minor, percent):
        left = percent.denominator - percent.numerator
        exact = session.gross_minor * left % percent.denominator == 0
        kept = Percent(left, percent.denominator)
        how = f"{gross} {TIMES} {kept} {DIVIDED_BY} 100{'' if exact else ', rounded'}. {how}"
    yield BillStep("The expert's share", how, f"{share} {currency}")
    yield BillStep("The platform's fee", f"{gross} {MINUS} {share}", f"{fee} {currency}")


def _factor(billed_us: int) -> str:
    """Return a billed time in minutes, as something to type into a calculator."""
    minutes, rest_us = divmod(billed_us, MINUTE_US)
    return str(minutes) if not rest_us else f"{seconds_text(billed_us)} {DIVIDED_BY} 60"
