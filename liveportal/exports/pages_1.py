"""The pages of page formats 1 and 2, as a dossier. They never change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from liveportal.domain.calculations.billing_steps import bill_steps
from liveportal.domain.case import Case
from liveportal.domain.clock import LAST
from liveportal.domain.money import Money
from liveportal.exports.dossier import (
    Dossier,
    Exhibit,
    Figure,
    Reasons,
    TimelineEntry,
    html,
    markdown,
)
from liveportal.exports.sentences_1 import describe

REASONS_1 = Reasons(
    absent="the file is not in the vault; this is its hash as the platform told it",
    too_large="larger than {largest} bytes; it can be shown, and known by its hash",
    unreadable="withheld, since nothing in it can be blacked out; it can be known by its hash",
    without_hash="; its hash is withheld, too, since a short text could be guessed from it",
)


def dossier_pages(case: Case, exhibits: Sequence[Exhibit], proof: str) -> Mapping[str, str]:
    """Return the pages of a case by their file names; `proof` is a sentence on how to verify it."""
    content = dossier_of(case, exhibits, proof)
    return {"index.html": html(content), "index.md": markdown(content)}


def dossier_of(case: Case, exhibits: Sequence[Exhibit], proof: str) -> Dossier:
    """Return the dossier of a case: the claim, the timeline, the bill and the files."""
    return Dossier(
        title=f"Evidence for claim {case.claim}",
        zone=case.zone,
        facts=tuple(_claim_facts(case)),
        timeline=tuple(_timeline(case)),
        figures=tuple(
            Figure(step.what, step.comes_to, step.rule)
            for step in bill_steps(case.session, case.policy)
        ),
        exhibits=tuple(exhibits),
        footer=(
            f"The journal had {case.journal_length} events; its head was {case.head}.",
            f"manifest.json has the SHA-256 of every file of this pack. {proof}",
        ),
        start=case.session.start,
        end=case.session.end,
    )


def _claim_facts(case: Case) -> Iterator[tuple[str, str]]:
    yield "Claim", f"{case.claim}, {case.state}{', late' if case.late else ''}"
    yield "Claimed back", f"{case.amount} {case.amount.currency}"
    yield "The customer's reason", case.reason or "none was given"
    if case.summary:
        yield "What the expert says", case.summary
    yield "Session", f"{case.session.id}{f': {case.title}' if case.title else ''}"
    name = f" ({case.customer_name})" if case.customer_name else ""
    yield "Customer", f"{case.customer}{name}"
    gross = Money(case.session.gross_minor, case.session.currency)
    yield "Billed", f"{gross} {gross.currency}"
    yield "At stake for the expert", f"{case.cost} {case.cost.currency}"


def _timeline(case: Case) -> list[TimelineEntry]:
    moments = [
        TimelineEntry(event.time, describe(event.kind, event.data), None, event.seq)
        for event in case.events
        if event.tells
    ]
    began = case.session.start
    for message in case.messages:
        time = None if began is None or message.offset is None else began + message.offset
        moments.append(TimelineEntry(time, message.text, message.speaker))
    # Messages without a time come last, in their order.
    return sorted(moments, key=lambda moment: (moment.time or LAST, moment.seq or 0))
