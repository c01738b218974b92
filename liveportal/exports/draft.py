"""A first draft of a dispute summary: the recorded facts of the session, for editing."""

from __future__ import annotations

from collections.abc import Iterator

from liveportal.domain.calculations.claim_answers import DisputeRecord
from liveportal.domain.calculations.months import minutes_text
from liveportal.domain.case import Case
from liveportal.domain.clock import microseconds
from liveportal.domain.text import clean
from liveportal.exports.local_time import local_text
from liveportal.exports.sentences import sentence

LAST_WORDS = 6
_INCLUDED = ("request.accepted", "session.", "artifact.added")


def draft(case: Case) -> str:
    """Return the session's facts as a text: timeline, minutes, review and last messages."""
    return "\n".join(_draft_lines(case))


def notes(case: Case, record: DisputeRecord) -> str:
    """Return notes for the expert to read while writing; they are not part of the summary."""
    lines = [
        f"The claim: {case.claim}, {case.amount} {case.amount.currency}.",
        f"The customer's reason: {clean(case.reason or 'not given')}",
        f"A refund would cost you {case.cost} {case.cost.currency}.",
        f"Your disputes so far: {record}.",
    ]
    if record.warning:
        lines.append(record.warning)
    return "\n".join(lines)


def _draft_lines(case: Case) -> Iterator[str]:
    session = case.session
    title = f" ({clean(case.title)})" if case.title else ""
    yield f"Session {session.id}{title}. Times are in {case.zone}."
    yield ""
    events = [event for event in case.events if event.tells]
    for event in events:
        if event.kind.startswith(_INCLUDED) and event.kind != "session.corrected":
            text = clean(sentence(event.kind, event.data, case.zone))
            yield f"{local_text(event.time, case.zone)}  {text}"
    yield ""
    paused_us = sum(microseconds(until - since) for since, until in session.pauses)
    yield (
        f"{minutes_text(session.billed_us)} minutes were billed;"
        f" {minutes_text(paused_us)} were paused and not billed."
    )
    for event in events:
        if event.kind == "review.posted":
            yield clean(sentence(event.kind, event.data, case.zone))
    if case.messages:
        yield ""
        yield "From the transcript:"
        for message in list(case.messages)[-LAST_WORDS:]:
            speaker = f"{clean(message.speaker)}: " if message.speaker else ""
            yield f"  {speaker}{clean(message.text)}"
