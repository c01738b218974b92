"""The rules that the platform stated. The code names each one (`# R8`) where it applies it."""

from __future__ import annotations

from liveportal.domain.row import Row, row


@row
class Rule(Row):
    """A rule of the platform."""

    rule: str
    text: str


_TEXTS = (
    "Rates are per minute, in USD, chosen by the expert between $1 and $5.",
    (
        "The minimum rate filters instant requests; the direct rate is for customers who book the"
        " expert."
    ),
    "Instant requests go to all matching experts; the first to accept wins.",
    "The rate of a request is frozen when it is matched.",
    "The first 5 minutes are a trial: the customer pays only if the session lasts over 5 minutes.",
    "Paused time is not charged.",
    "Both sides review each other after the session.",
    "A customer may claim a full refund within 24 hours of the end of the session.",
    "A community manager reviews the claim and the dispute with the evidence.",
    "Repeated unwarranted disputes can close the expert's account.",
    "The expert earns 70 % of what the session costs, the platform 30 %.",
    "Payouts need $100 or more and a complete payout profile, and go to PayPal.",
    "Each session is paid within 60 days of the end of its month; the first payout waits 60 days.",
    "Tax information is required of everyone.",
    "An accepted refund reaches the customer within two working days.",
)
RULES = tuple(Rule(rule=f"R{number}", text=text) for number, text in enumerate(_TEXTS, 1))
"""Unity Live Help's, of 2018-2020; `docs/RULES.md` has the same table."""
