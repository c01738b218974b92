"""The sentences with which commands about claims and disputes answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liveportal.cli.commands.sessions.answers import name_of
from liveportal.cli.io.answers import Sentence, amount, moment, with_reason
from liveportal.cli.write_result import Recorded
from liveportal.domain.money import Money

if TYPE_CHECKING:
    from liveportal.ledger.queries.recorded import ClaimFacts


def claim_of(facts: ClaimFacts) -> str:
    """Return `claim CL-1 of Joe on session S-1`."""
    return f"claim {facts.short} of {name_of(facts.session)} on session {facts.session.short}"


def _answers(facts: ClaimFacts) -> tuple[tuple[str, str], ...]:
    return (
        ("Dispute it", f"dispute file {facts.short} --edit"),
        ("Concede it", f"refunds concede {facts.short}"),
    )


def when_paid(owed: Money) -> tuple[tuple[str, str], ...]:
    """Return the command for the next payout; none if nothing is owed."""
    return (("When that is paid", f"payout record {owed}"),) if owed.minor > 0 else ()


def _owed(facts: ClaimFacts) -> str:
    return f"The platform owes you {amount(facts.owed)}."


def claimed(recorded: Recorded) -> Sentence:
    """Say what is claimed, what it holds, and by when to answer."""
    facts: ClaimFacts = recorded.facts
    zone, now = recorded.zone, recorded.now
    until = f" Answer it by {moment(facts.answer_by, zone, now)}." if facts.answer_by else ""
    return Sentence(
        *("Recorded", "record", claim_of(facts)),
        with_reason(f"{amount(facts.row.amount)} is claimed back", recorded.data.reason),
        (f"It holds {amount(facts.held)} until it is decided.{until}", facts.if_silent or ""),
        _answers(facts),
    )


def conceded(recorded: Recorded) -> Sentence:
    """Say what was given back."""
    return _decided(recorded, "Conceded", "concede", claim_of(recorded.facts))


def granted(recorded: Recorded) -> Sentence:
    """Say what the platform gave back."""
    return _decided(recorded, "Recorded", "record", f"that {claim_of(recorded.facts)} was granted")


def denied(recorded: Recorded) -> Sentence:
    """Say what is the expert's again."""
    return _decided(recorded, "Recorded", "record", f"that {claim_of(recorded.facts)} was denied")


def withdrawn(recorded: Recorded) -> Sentence:
    """Say what is the expert's again."""
    facts: ClaimFacts = recorded.facts
    what = (
        f"that {name_of(facts.session)} withdrew claim {facts.short}"
        f" on session {facts.session.short}"
    )
    return _decided(recorded, "Recorded", "record", what)


def ruled(recorded: Recorded) -> Sentence:
    """Say what the review decided, and what that costs."""
    facts: ClaimFacts = recorded.facts
    decision = "accepted" if recorded.data.TYPE == "dispute.accepted" else "rejected"
    what = f"that the dispute of claim {facts.short} was {decision}"
    return _decided(recorded, "Recorded", "record", what)


def _decided(recorded: Recorded, done: str, would: str, what: str) -> Sentence:
    facts: ClaimFacts = recorded.facts
    data = recorded.data
    reason = getattr(data, "reason", None) or getattr(data, "note", None)
    is_deducted = recorded.row["state"] in {"conceded", "granted", "rejected"}
    money = (
        f"{amount(facts.row.cost)} is deducted"
        if is_deducted
        else f"{amount(facts.held)} that it held is yours again"
    )
    return Sentence(
        *(done, would, with_reason(what, reason), money), (_owed(facts),), when_paid(facts.owed)
    )


def filed(recorded: Recorded) -> Sentence:
    """Say what the dispute waits for."""
    facts: ClaimFacts = recorded.facts
    return Sentence(
        *("Filed", "file", f"the dispute of {claim_of(facts)}"),
        f"{amount(facts.held)} stays held until the review decides",
        (f"If it is accepted, nothing is deducted; if rejected, {amount(facts.row.cost)} is.",),
        (
            ("If it is accepted", f"dispute rule {facts.short} --accepted"),
            ("If it is rejected", f"dispute rule {facts.short} --rejected"),
        ),
    )


def dispute_withdrawn(recorded: Recorded) -> Sentence:
    """Say that the claim is open again, and what it may cost."""
    facts: ClaimFacts = recorded.facts
    return Sentence(
        *("Withdrew", "withdraw", f"the dispute of {claim_of(facts)}"),
        f"the claim is open again, and may cost {amount(facts.row.cost)}",
        next=_answers(facts),
    )
