"""A first draft of a dispute summary: the recorded facts of the session, for editing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from liveportal.domain.calculations.claim_answers import DisputeRecord
from liveportal.domain.calculations.months import minutes_text
from liveportal.domain.case import Case
from liveportal.domain.clock import microseconds, zone
from liveportal.domain.text import clean
from liveportal.exports.sentences_1 import describe

LAST_WORDS = 6
_INCLUDED = ("request.accepted", "session.", "artifact.added")


def draft(case: Case) -> str:
    """Return the session's facts as a text: timeline, minutes, review and last messages."""
    return "\n".join(_draft_lines(case))


def notes(case: Case, record: DisputeRecord) -> str:
    """Return notes for the expert to read while writing; they are not part of the summary."""
    lines = [
        f"The claim: {case.claim}, {case.amount} {case.amount.currency}.",
        f"The customer says: {clean(case.reason or 'nothing')}",
        f"At stake for you: {case.cost} {case.cost.currency}.",
        f"Your disputes so far: {record}.",
    ]
    if record.warning:
        lines.append(record.warning)
    return "\n".join(lines)


def _draft_lines(case: Case) -> Iterator[str]:
    session = case.session
    title = f" ({clean(case.title)})" if case.title else ""
    yield f"Session {session.id}{title}. Times are those of {case.zone}."
    yield ""
    events = [event for event in case.events if event.tells]
    for event in events:
        if event.kind.startswith(_INCLUDED) and event.kind != "session.corrected":
            yield f"{_local(event.time, case.zone)}  {clean(describe(event.kind, event.data))}"
    yield ""
    paused_us = sum(microseconds(until - since) for since, until in session.pauses)
    yield (
        f"{minutes_text(session.billed_us)} minutes were billed;"
        f" {minutes_text(paused_us)} were paused and not billed."
    )
    for event in events:
        if event.kind == "review.posted":
            yield clean(describe(event.kind, event.data))
    if case.messages:
        yield ""
        yield "From the transcript:"
        for message in list(case.messages)[-LAST_WORDS:]:
            speaker = f"{clean(message.speaker)}: " if message.speaker else ""
            yield f"  {speaker}{clean(message.text)}"


def _local(instant: datetime, zone_name: str) -> str:
    try:
        return f"{instant.astimezone(zone(zone_name)):%Y-%m-%d %H:%M}"
    except OverflowError:
        return f"{instant:%Y-%m-%d %H:%M}"
