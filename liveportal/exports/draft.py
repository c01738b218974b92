"""A first draft of a dispute's summary: what the ledger knows of the session, to be edited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from liveportal.domain.calculations.claim_answers import DisputeRecord
from liveportal.domain.calculations.months import minutes_text
from liveportal.domain.case import Case
from liveportal.domain.clock import microseconds, zone
from liveportal.domain.events.describe import sentence
from liveportal.domain.text import clean

LAST_WORDS = 6
_TOLD = ("request.accepted", "session.", "artifact.added")


def draft(case: Case) -> str:
    """Return the facts of a session as a text: its timeline, its minutes, its review, its end."""
    return "\n".join(_lines(case))


def notes(case: Case, record: DisputeRecord) -> str:
    """Return what the expert should have in mind while writing, and nobody else reads."""
    lines = [
        f"The claim: {case.claim}, {case.amount} {case.amount.currency}.",
        f"The customer says: {clean(case.reason or 'nothing')}",
        f"At stake for you: {case.cost} {case.cost.currency}.",
        f"Your disputes so far: {record}.",
    ]
    if record.warning:
        lines.append(record.warning)
    return "\n".join(lines)


def _lines(case: Case) -> Iterator[str]:
    session = case.session
    title = f" ({clean(case.title)})" if case.title else ""
    yield f"Session {session.id}{title}. Times are those of {case.zone}."
    yield ""
    events = [each for each in case.events if each.tells]
    for each in events:
        if each.kind.startswith(_TOLD) and each.kind != "session.corrected":
            yield f"{_clock(each.time, case.zone)}  {clean(sentence(each.kind, each.data))}"
    yield ""
    paused_us = sum(microseconds(until - since) for since, until in session.pauses)
    yield (
        f"{minutes_text(session.billed_us)} minutes were billed;"
        f" {minutes_text(paused_us)} were paused and not billed."
    )
    for each in events:
        if each.kind == "review.posted":
            yield clean(sentence(each.kind, each.data))
    if case.messages:
        yield ""
        yield "From the transcript:"
        for said in list(case.messages)[-LAST_WORDS:]:
            speaker = f"{clean(said.speaker)}: " if said.speaker else ""
            yield f"  {speaker}{clean(said.text)}"


def _clock(instant: datetime, zone_name: str) -> str:
    try:
        return f"{instant.astimezone(zone(zone_name)):%Y-%m-%d %H:%M}"
    except OverflowError:
        return f"{instant:%Y-%m-%d %H:%M}"
