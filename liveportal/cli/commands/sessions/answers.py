"""The sentences with which commands about sessions answer, made of what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from liveportal.cli.io.answers import (
    Sentence,
    amount,
    for_other,
    local,
    minutes_of,
    moment,
    plural,
    quoted,
    span,
    with_reason,
)
from liveportal.cli.io.text import clock_time, format_length
from liveportal.cli.write_result import Recorded

if TYPE_CHECKING:
    from liveportal.ledger.queries.recorded import SessionFacts

Commands = tuple[tuple[str, str], ...]


def name_of(facts: SessionFacts) -> str:
    """Return the customer's name, or the id of one without."""
    return facts.customer.name or facts.customer.id


def session_with(facts: SessionFacts) -> str:
    """Return `session S-1 with Joe`."""
    return f"session {facts.short} with {name_of(facts)}"


def when(facts: SessionFacts, recorded: Recorded) -> str:
    """Return the session's time in the zones of both: `Thu 3 Dec 20:00-21:00, Europe/Paris ...`."""
    summary, zone = facts.summary, recorded.zone
    theirs = for_other(summary.start, zone, facts.customer.timezone, name_of(facts))
    return span(summary.start, summary.end, zone, recorded.now) + theirs


def trial(facts: SessionFacts, recorded: Recorded) -> tuple[str, ...]:
    """Return when the trial of a running session ends."""
    ends = facts.figures.trial_ends
    return (f"The trial ends at {clock_time(local(ends, recorded.zone))}.",) if ends else ()


def running(facts: SessionFacts) -> Commands:
    """Return the commands for a session whose timer runs."""
    return (
        ("Pause it", f"sessions pause {facts.short}"),
        ("End it", f"sessions end {facts.short}"),
    )


def started(recorded: Recorded) -> Sentence:
    """Return since when the timer runs, and when the trial ends."""
    facts: SessionFacts = recorded.facts
    return Sentence(
        *("Started", "start", session_with(facts)),
        f"the timer runs from {moment(recorded.at, recorded.zone, recorded.now)}",
        trial(facts, recorded),
        running(facts),
    )


def paused(recorded: Recorded) -> Sentence:
    """Return when the timer stopped, and what is on it."""
    facts: SessionFacts = recorded.facts
    active = facts.figures.active_seconds
    when_paused = moment(recorded.at, recorded.zone, recorded.now)
    stopped = f"{format_length(active)} ({when_paused})" if active is not None else when_paused
    return Sentence(
        *("Paused", "pause", session_with(facts)),
        f"the timer stops at {stopped}",
        ("Paused time is not charged.",),
        (
            ("Resume it", f"sessions resume {facts.short}"),
            ("End it", f"sessions end {facts.short}"),
        ),
    )


def resumed(recorded: Recorded) -> Sentence:
    """Return since when the timer runs again."""
    facts: SessionFacts = recorded.facts
    return Sentence(
        *("Resumed", "resume", session_with(facts)),
        f"the timer runs again from {moment(recorded.at, recorded.zone, recorded.now)}",
        trial(facts, recorded),
        running(facts),
    )


def bill(facts: SessionFacts, recorded: Recorded) -> str:
    """Return an ended session's time, and what was billed and earned."""
    summary = facts.summary
    if not summary.gross or not summary.gross.minor:
        return f"{when(facts, recorded)}; nothing was billed"
    return (
        f"{when(facts, recorded)}; {minutes_of(summary.minutes)} for {amount(summary.gross)},"
        f" of which {amount(summary.earned)} is yours"
    )


def until(facts: SessionFacts, recorded: Recorded) -> tuple[str, ...]:
    """Return until when the customer can claim a refund for an ended session."""
    if facts.claims_until is None or facts.claims_until < recorded.now:
        return ()
    last = moment(facts.claims_until, recorded.zone, recorded.now)
    return (f"{name_of(facts)} can claim a refund until {last}.",)


def after_end(facts: SessionFacts) -> Commands:
    """Return the commands for a session that was billed."""
    claim: Commands = (("Record a refund claim", f"refunds claim {facts.short}"),)
    return (
        *(claim if facts.claims_until else ()),
        ("See the next payout", "payout preview"),
    )


def over(recorded: Recorded) -> Sentence:
    """Return what an ended session billed, and until when a refund can be claimed."""
    facts: SessionFacts = recorded.facts
    return Sentence(
        *("Ended", "end", session_with(facts), bill(facts, recorded)),
        until(facts, recorded),
        after_end(facts),
    )


def logged(recorded: Recorded) -> Sentence:
    """Return what a session that was entered afterwards billed."""
    facts: SessionFacts = recorded.facts
    return Sentence(
        *("Logged", "log", session_with(facts), bill(facts, recorded)),
        until(facts, recorded),
        after_end(facts),
    )


def corrected(recorded: Recorded) -> Sentence:
    """Return what a session bills now."""
    facts: SessionFacts = recorded.facts
    return Sentence(
        *("Corrected", "correct", session_with(facts)),
        with_reason(bill(facts, recorded), recorded.data.reason),
        ("The original entry and its reversal stay in the books.",),
        (("See how it is billed", f"sessions explain {facts.short}"),),
    )


def cancelled(recorded: Recorded) -> Sentence:
    """Name the cancelled session, by whom it was cancelled and why."""
    facts, by = recorded.facts, recorded.data.by
    what = f"the cancellation of {session_with(facts)}"
    who = {"expert": "you", "customer": name_of(facts)}.get(by, "the platform")
    detail = f"{when(facts, recorded)}, by {who}"
    return Sentence(
        *("Recorded", "record", what, with_reason(detail, recorded.data.reason)),
        ("Nothing is charged.",),
    )


def missed(recorded: Recorded) -> Sentence:
    """Name the session and the person who missed it."""
    facts: SessionFacts = recorded.facts
    if recorded.data.by == "customer":
        what = f"that {name_of(facts)} missed session {facts.short}"
    else:
        what = f"that you missed {session_with(facts)}"
    return Sentence("Recorded", "record", what, when(facts, recorded), ("Nothing is charged.",))


def moved(recorded: Recorded) -> Sentence:
    """Return the new time of a session."""
    facts: SessionFacts = recorded.facts
    return Sentence(
        *("Moved", "move", session_with(facts), when(facts, recorded)),
        next=(("Start it", f"sessions start {facts.short}"),),
    )


def tipped(recorded: Recorded) -> Sentence:
    """Return how much a customer tipped."""
    facts: SessionFacts = recorded.facts
    return Sentence(
        *("Recorded", "record"),
        f"a tip of {amount(recorded.data.amount)} from {name_of(facts)} for session {facts.short}",
        more=("The platform takes no fee from tips.",),
    )


def reviewed(recorded: Recorded) -> Sentence:
    """Return the rating and the text of a review, and by whom it is."""
    facts, data = recorded.facts, recorded.data
    whose = "your review" if data.by == "expert" else f"{name_of(facts)}'s review"
    words = f", {quoted(data.text)}" if data.text else ""
    return Sentence(
        *("Recorded", "record", f"{whose} of session {facts.short}", f"{data.rating} of 5{words}"),
        next=(("See all reviews", "sessions reviews"),),
    )


def attached(recorded: Recorded) -> Sentence:
    """Name the attached file, and the command that shows its content."""
    row = recorded.row
    read = cast("int | None", row["messages"])
    short = recorded.facts.short
    seen: Commands = (
        (("Read the transcript", f"sessions show {short} --transcript"),) if read else ()
    )
    size = f"{row['bytes']:,} bytes"
    return Sentence(
        *("Attached", "attach", f"{row['name']} to {session_with(recorded.facts)}"),
        f"{row['kind']}, {size}" + (f", {plural(read, 'message')}" if read else ""),
        next=seen,
    )
