"""The sentences with which commands about the ledger answer."""

from __future__ import annotations

from liveportal.cli.io.answers import Sentence, amount, plural, with_reason
from liveportal.cli.io.view_model import HumanValue
from liveportal.cli.write_result import Recorded
from liveportal.domain.events.envelope import Event, EventData
from liveportal.domain.events.types import (
    AdjustmentPosted,
    PayoutSent,
    PayoutStatusChanged,
    TipReceived,
)

_STEPS = {"payout.paid": "arrival", "payout.failed": "failure", "payout.returned": "return"}


def entry_of(data: EventData) -> str:
    """Return what an event that can be reversed booked: thing and amount."""
    match data:
        case TipReceived():
            return f"the tip of {amount(data.amount)} for session {data.session}"
        case AdjustmentPosted():
            text = f"the adjustment {data.adjustment} of {amount(data.amount)}"
            return with_reason(text, data.reason)
        case PayoutSent():
            return f"payout {data.payout} of {amount(data.amount)}"
        case PayoutStatusChanged():
            return f"the {_STEPS.get(data.TYPE, 'last step')} of payout {data.payout}"
    return f"the event of type {data.TYPE}"


def reversed_(recorded: Recorded) -> Sentence:
    """Answer `ledger reverse`."""
    event: Event = recorded.facts
    return Sentence(
        *("Reversed", "reverse", entry_of(event.data), recorded.data.reason),
        ("The entry and its reversal both stay visible.",),
        (("See the entries", "earnings transactions"),),
    )


def forgotten(recorded: Recorded) -> Sentence:
    """Answer `ledger forget`: what was erased, and where data of the customer may be left."""
    row = recorded.row
    counts = [
        plural(count, noun)
        for noun in ("event", "message", "file")
        if isinstance(count := row[f"{noun}s"], int)
    ]
    detail = f"{', '.join(counts[:-1])} and {counts[-1]}" if counts[1:] else ""
    left = row["left"]
    lines = left.lines(recorded.now, None) if isinstance(left, HumanValue) else ()
    return Sentence(
        *("Erased", "erase", f"the personal data of customer {row['id']}", detail),
        ("Sessions and amounts stay.", *lines),
        (("Check the ledger", "ledger verify"),),
    )
