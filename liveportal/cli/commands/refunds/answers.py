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
    """Return `Joe's claim CL-1 for session S-1`."""
    return f"{name_of(facts.session)}'s claim {facts.short} for session {facts.session.short}"


def _answers(facts: ClaimFacts) -> tuple[tuple[str, str], ...]:
    return (
        ("Dispute it", f"dispute file {facts.short} --edit"),
        ("Concede it", f"refunds concede {facts.short}"),
    )


def when_paid(owed: Money) -> tuple[tuple[str, str], ...]:
    """Return the command for the next payout; none if nothing is owed."""
    return (("When it is paid out", f"payout record {owed}"),) if owed.minor > 0 else ()


def _owed(facts: ClaimFacts) -> str:
    return f"The platform owes you {amount(facts.owed)}."


def claimed(recorded: Recorded) -> Sentence:
    """Answer `refunds claim`: what is claimed and held, and by when to answer."""
    facts: ClaimFacts = recorded.facts
    zone, now = recorded.zone, recorded.now
    until = f" Answer it by {moment(facts.answer_by, zone, now)}." if facts.answer_by else ""
    return Sentence(
        *("Recorded", "record", claim_of(facts)),
        with_reason(f"the customer wants {amount(facts.row.amount)} back", recorded.data.reason),
        (
            f"{amount(facts.held)} of your earnings is held until the claim is decided.{until}",
            facts.if_silent or "",
        ),
        _answers(facts),
    )


def conceded(recorded: Recorded) -> Sentence:
    """Answer `refunds concede`."""
    return _decided(recorded, "Conceded", "concede", claim_of(recorded.facts))


def granted(recorded: Recorded) -> Sentence:
    """Answer `refunds grant`."""
    return _decided(recorded, "Recorded", "record", f"that {claim_of(recorded.facts)} was granted")


def denied(recorded: Recorded) -> Sentence:
    """Answer `refunds deny`."""
    return _decided(recorded, "Recorded", "record", f"that {claim_of(recorded.facts)} was denied")


def withdrawn(recorded: Recorded) -> Sentence:
    """Answer `refunds withdraw`."""
    facts: ClaimFacts = recorded.facts
    what = (
        f"that {name_of(facts.session)} withdrew claim {facts.short}"
        f" for session {facts.session.short}"
    )
    return _decided(recorded, "Recorded", "record", what)


def ruled(recorded: Recorded) -> Sentence:
    """Answer `dispute rule`: the decision and its cost."""
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
        f"{amount(facts.row.cost)} is deducted from your earnings"
        if is_deducted
        else f"the {amount(facts.held)} that was held is yours again"
    )
    return Sentence(
        *(done, would, with_reason(what, reason), money), (_owed(facts),), when_paid(facts.owed)
    )


def filed(recorded: Recorded) -> Sentence:
    """Answer `dispute file`: what stays held, and what each decision means."""
    facts: ClaimFacts = recorded.facts
    return Sentence(
        *("Filed", "file", f"a dispute of {claim_of(facts)}"),
        f"{amount(facts.held)} stays held until the platform decides",
        (f"If it is rejected, {amount(facts.row.cost)} is deducted; otherwise nothing is.",),
        (
            ("If it is accepted", f"dispute rule {facts.short} --accepted"),
            ("If it is rejected", f"dispute rule {facts.short} --rejected"),
        ),
    )


def dispute_withdrawn(recorded: Recorded) -> Sentence:
    """Answer `dispute withdraw`: the claim is open again."""
    facts: ClaimFacts = recorded.facts
    return Sentence(
        *("Withdrew", "withdraw", f"the dispute of {claim_of(facts)}"),
        f"the claim is open again and may cost {amount(facts.row.cost)}",
        next=_answers(facts),
    )
