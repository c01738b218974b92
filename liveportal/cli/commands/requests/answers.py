"""The sentences with which commands about requests answer, made of what was recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from liveportal.cli.commands.sessions import answers as sessions
from liveportal.cli.io.answers import Sentence, amount, for_other, moment, quoted, span, with_reason
from liveportal.cli.write_result import Recorded
from liveportal.domain.clock import shifted

if TYPE_CHECKING:
    from liveportal.ledger.queries.recorded import RequestFacts


def request_of(facts: RequestFacts) -> str:
    """Return `request REQ-1 from Joe, "Shader flickers"`."""
    title = quoted(facts.detail.title)
    return f"request {facts.short} from {_name(facts)}{f', {title}' if title else ''}"


def _name(facts: RequestFacts) -> str:
    customer = facts.detail.customer
    return customer.name or customer.id


def added(recorded: Recorded) -> Sentence:
    """Return what the request is for, when, and what it would earn."""
    facts: RequestFacts = recorded.facts
    detail, slots = facts.detail, facts.detail.slots
    rate = f"{amount(detail.rate)} a minute"
    if len(slots) == 1:
        (slot,) = slots
        end = shifted(slot.start, timedelta(minutes=slot.minutes))
        theirs = for_other(slot.start, recorded.zone, detail.customer.timezone, _name(facts))
        asks = f"{span(slot.start, end, recorded.zone, recorded.now)}{theirs}, at {rate}"
    else:
        asks = f"{f'{len(slots)} proposed times' if slots else 'instant help'} at {rate}"
    choice = " --slot 1" if len(slots) == 1 else " --best" if slots else ""
    return Sentence(
        *("Added", "add", request_of(facts), asks),
        (f"It would earn {amount(detail.earns)} for {detail.earns_minutes} minutes.",),
        (
            ("Accept it", f"requests accept {facts.short}{choice}"),
            ("Decline it", f"requests decline {facts.short}"),
        ),
    )


def accepted(recorded: Recorded) -> Sentence:
    """Return when the session is and what it would earn, or that its timer runs."""
    facts: RequestFacts = recorded.facts
    session = facts.session
    if session is None:
        return Sentence("Accepted", "accept", request_of(facts))
    if session.summary.state != "upcoming":
        began = moment(session.summary.start, recorded.zone, recorded.now)
        return Sentence(
            *("Accepted", "accept", facts.short),
            f"the timer of {sessions.session_with(session)} runs from {began}",
            sessions.trial(session, recorded),
            sessions.running(session),
        )
    earns = (f"It would earn {amount(session.would_earn)}.",) if session.would_earn else ()
    return Sentence(
        *("Accepted", "accept", facts.short, sessions.when(session, recorded)),
        earns,
        (("Start it", f"sessions start {session.short}"),),
    )


def declined(recorded: Recorded) -> Sentence:
    """Name the declined request, and the reason."""
    what = with_reason(request_of(recorded.facts), recorded.data.reason)
    return Sentence("Declined", "decline", what)


def withdrawn(recorded: Recorded) -> Sentence:
    """Name the request that its customer withdrew."""
    facts: RequestFacts = recorded.facts
    what = with_reason(f"that {_name(facts)} withdrew request {facts.short}", recorded.data.reason)
    return Sentence("Recorded", "record", what)
