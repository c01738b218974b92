"""The page of a pack for the reviewer of a dispute: a person who was not in the session.

It speaks of the expert and the customer in the third person, spells out the platform's rules, and
shows neither positions nor ids of the ledger's own. This module is part of page format 3 (`pages`):
what it writes never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from liveportal.domain.calculations.refund_window import closes
from liveportal.domain.case import Case, CaseEvent, CaseMessage
from liveportal.domain.clock import LAST, microseconds, parse_instant
from liveportal.domain.money import Money
from liveportal.domain.policy import Deducts
from liveportal.exports.document import (
    WRITERS,
    Block,
    Cell,
    Document,
    Facts,
    Heading,
    Paragraph,
    Picture,
    Steps,
    Table,
    columns,
    text_cells,
)
from liveportal.exports.dossier import PICTURES, Exhibit, Reasons
from liveportal.exports.local_time import SECOND_US, local_text, span_text
from liveportal.exports.review_bill import PlatformRules, bill_steps
from liveportal.exports.sentences import quoted, sentence

UTC = "UTC"
REASONS = Reasons(
    absent="not in this pack: the platform reported the file, but the expert does not have it;"
    " its SHA-256 is the one that the platform reported",
    too_large="not in this pack: the file is larger than {largest:,} bytes; the expert can show it,"
    " and its SHA-256 identifies it",
    unreadable="not in this pack: names cannot be blacked out in the file; its SHA-256 identifies"
    " it",
    without_hash="; its SHA-256 is not shown either, because a short text could be guessed from it",
)
_STATES = {
    "open": "open; the expert has not disputed it",
    "disputed": "disputed by the expert; not decided yet",
    "accepted": "decided: the dispute was accepted, so no refund is paid",
    "rejected": "decided: the dispute was rejected, so the refund is paid",
    "conceded": "decided: the expert agreed to the refund",
    "granted": "decided: the platform granted the refund",
    "denied": "decided: the platform refused the refund",
    "withdrawn": "closed: the customer withdrew it",
}
_OUTCOMES = {
    "accepted": "The dispute was accepted. No refund is paid, and the expert is not charged.",
    "rejected": "The dispute was rejected. The refund is paid, and the expert is charged.",
    "conceded": "The expert agreed to the refund. It is paid, and the expert is charged.",
    "granted": "The platform granted the refund. It is paid, and the expert is charged.",
    "denied": "The platform refused the refund. The expert is not charged.",
    "withdrawn": "The customer withdrew the claim. The expert is not charged.",
}
_REPORTERS = {"expert": "the expert", "platform": "the platform", "unknown": "not known"}
_CHECKS = (
    (
        "Ask the expert for the seal of the pack, through another channel than the one that the"
        " pack came through. The seal is a SHA-256: 64 letters and digits."
    ),
    (
        "Calculate the SHA-256 of the file manifest.json. It must be the seal. On Linux: sha256sum"
        " manifest.json. On macOS: shasum -a 256 manifest.json. On Windows: certutil -hashfile"
        " manifest.json SHA256."
    ),
    (
        "Calculate the SHA-256 of any other file in the same way. The file manifest.json lists it"
        " beside the name of the file."
    ),
    "The program liveportal does all of this with the ZIP file: liveportal dispute verify FILE.",
)


def review_pages(case: Case, exhibits: Sequence[Exhibit]) -> Mapping[str, str]:
    """Return the pages of a case by their file names: the same content as HTML and as Markdown."""
    document = review(case, exhibits)
    return {name: write(document) for name, write in WRITERS.items()}


def review(case: Case, exhibits: Sequence[Exhibit]) -> Document:
    """Return the page of a case. The exhibits are those of its files, in their order."""
    return Document(
        f"Evidence on refund claim {case.claim}",
        (
            Paragraph(
                "This document is for the community manager who reviews the claim. It was made from"
                " the expert's records: what the platform reported to the expert, and what the"
                " expert recorded."
            ),
            *_claim(case),
            *_request(case, len(exhibits)),
            *_events(case),
            *_bill(case),
            *_exhibits(case, exhibits),
            *_verification(),
        ),
    )


# --- the claim ------------------------------------------------------------------------------------


def _claim(case: Case) -> Iterator[Block]:
    session = case.session
    paid = Money(session.gross_minor, session.currency)
    yield Heading("The claim")
    facts = [
        ("Refund claim", case.claim),
        ("State of the claim", _STATES[case.state]),
        ("Refund asked for", _amount(case.amount)),
        ("Amount paid", _amount(paid)),
        ("The customer", _customer(case)),
        ("The customer's reason", quoted(case.reason) if case.reason else "not given"),
    ]
    if case.summary:
        facts.append(("The expert's answer", quoted(case.summary)))
    facts.append(("Session", session.id))
    if case.title:
        facts.append(("Subject of the session", quoted(case.title)))
    facts += [
        *_session_times(case, case.zone),
        *(_session_times(case, UTC) if case.zone != UTC else ()),
    ]
    yield Facts(tuple(facts))
    yield from _timeliness(case)


def _customer(case: Case) -> str:
    name = f"{case.customer_name} " if case.customer_name else ""
    return f"{name}(customer {case.customer})" if name else f"customer {case.customer}"


def _session_times(case: Case, zone_name: str) -> Iterator[tuple[str, str]]:
    session = case.session
    if session.start is not None:
        yield f"Start of the session ({zone_name})", local_text(session.start, zone_name)
    if session.end is not None:
        yield f"End of the session ({zone_name})", local_text(session.end, zone_name)


def _timeliness(case: Case) -> Iterator[Block]:
    """Yield a paragraph on whether the claim was made in time."""
    end, rules = case.session.end, PlatformRules(case.policy)
    claimed = next((event for event in case.events if _makes_claim(event, case)), None)
    if end is None or claimed is None:
        return
    hours = case.policy.refund.window_hours
    kind = "a refund" if case.policy.refund.partial else "a full refund"
    deadline = closes(end, case.policy)
    after = _hours_text(max(microseconds(claimed.time - end), 0))
    verdict = "This was too late" if case.late else "This was in time"
    yield Paragraph(
        f"The customer may claim {kind} within {hours} hours of the end of the session"
        f"{rules.cite('refund.window_hours')}: until {local_text(deadline, case.zone)}"
        f" ({case.zone}). The claim was made on {local_text(claimed.time, case.zone)}, {after}"
        f" after the end. {verdict}."
    )


def _hours_text(length_us: int) -> str:
    """Return a span as `6 h 39 min 0 s`, in whole seconds; without hours if it has none."""
    hours, rest_us = divmod(length_us - length_us % SECOND_US, 3600 * SECOND_US)
    return f"{hours} h {span_text(rest_us)}" if hours else span_text(rest_us)


def _makes_claim(event: CaseEvent, case: Case) -> bool:
    return event.kind == "refund.claimed" and event.data.get("claim", case.claim) == case.claim


def _request(case: Case, exhibits: int) -> Iterator[Block]:
    """Yield what the expert asks for, and what is at stake."""
    yield Heading("What the expert asks for")
    if case.state in _OUTCOMES:
        yield Paragraph(f"The claim is closed. {_OUTCOMES[case.state]}")
        yield Paragraph("The expert asks for nothing more; this pack documents the case.")
        return
    review_rule = PlatformRules(case.policy).cite_code("R9")
    wish = (
        "The expert asks the community manager to accept the dispute"
        if case.state == "disputed"
        else "The expert asks the community manager to refuse the refund"
    )
    yield Paragraph(
        f"{wish}. A community manager decides on the claim and the dispute with the transcript, the"
        f" recording and the files of the session{review_rule}. {_exhibit_range(exhibits)}"
    )
    cost = f"{_amount(case.cost)} is deducted from the expert's earnings"
    basis = (
        "the whole refund"
        if case.policy.refund.deducts is Deducts.GROSS
        else "the expert's share of the refund"
    )
    yield Paragraph(
        f"If the customer gets the refund of {_amount(case.amount)}, {cost}: {basis}. If the"
        " customer does not get it, nothing is deducted."
    )


def _exhibit_range(count: int) -> str:
    if count < 2:  # noqa: PLR2004 (one exhibit is no range)
        return "The only file is Exhibit 1." if count else "The session has no files."
    return f"The files are Exhibits 1 to {count}."


# --- what happened --------------------------------------------------------------------------------


def _events(case: Case) -> Iterator[Block]:
    numbers = {kept.seq: n for n, kept in enumerate(case.kept, 1) if kept.seq is not None}
    rows = [
        (_time_of_event(event), event.seq, _event_row(case, event, numbers))
        for event in case.events
        if event.tells
    ]
    rows += [
        (time or LAST, 0, _message_row(case, message, time, numbers))
        for message, time in ((each, _time_of(case, each)) for each in case.messages)
    ]
    yield Heading("What happened")
    yield Table(
        f"All events and messages, the oldest first. The times are those of {case.zone}, the"
        " platform's time zone. The session clock is the time since the start of the session,"
        " pauses included. Messages without a time are at the end.",
        columns(
            *(f"Time ({case.zone})", "Session clock", "What happened", "Source"),
            styles=("time", "number", "", ""),
        ),
        # Messages without a time come last, in their order.
        tuple(row for _, _, row in sorted(rows, key=lambda entry: entry[:2])),
        "No events were recorded.",
    )


def _event_row(case: Case, event: CaseEvent, numbers: Mapping[int, int]) -> tuple[Cell, ...]:
    text, time = sentence(event.kind, event.data, case.zone), _time_of_event(event)
    if time != event.time:
        text = f"{text} This was recorded on {local_text(event.time, case.zone)}."
    if event.seq in numbers:
        text = f"{text} (Exhibit {numbers[event.seq]})"
    source = " and ".join(_REPORTERS[name] for name in event.reported_by)
    return (
        Cell(local_text(time, case.zone), instant=time),
        *text_cells(_session_clock(case, time), text, f"{source[:1].upper()}{source[1:]}"),
    )


def _time_of_event(event: CaseEvent) -> datetime:
    """Return when an event happened; a session that was logged afterwards is at its start."""
    is_logged = event.kind == "session.logged" and "start" in event.data
    return parse_instant(event.data["start"]) if is_logged else event.time


def _message_row(
    case: Case, message: CaseMessage, time: datetime | None, numbers: Mapping[int, int]
) -> tuple[Cell, ...]:
    speaker = f"{message.speaker}: " if message.speaker else ""
    number = numbers.get(message.file_seq or 0)
    return (
        Cell("" if time is None else local_text(time, case.zone), instant=time),
        *text_cells(
            "" if time is None else _session_clock(case, time),
            f"{speaker}{quoted(message.text)}",
            "A transcript" if number is None else f"Exhibit {number}",
        ),
    )


def _time_of(case: Case, message: CaseMessage) -> datetime | None:
    start = case.session.start
    return None if start is None or message.offset is None else start + message.offset


def _session_clock(case: Case, instant: datetime) -> str:
    """Return the time since the start of the session, as `12:31`; empty outside the session."""
    start, end = case.session.start, case.session.end
    if start is None or instant < start or (end is not None and instant > end):
        return ""
    hours, rest = divmod((instant - start) // timedelta(seconds=1), 3600)
    minutes = f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{minutes:0>5}" if hours else minutes


# --- the bill and the exhibits --------------------------------------------------------------------


def _bill(case: Case) -> Iterator[Block]:
    yield Heading("How the bill was calculated")
    yield Table(
        "Each step starts from the results of earlier steps, and can be checked with a pocket"
        f" calculator. Amounts are in {case.session.currency}.",
        columns("Step", "Calculation", "Result", styles=("", "", "number")),
        tuple(
            text_cells(step.name, step.how, step.result)
            for step in bill_steps(case.session, case.policy, case.zone)
        ),
        "The session has not ended, so it has no bill yet.",
    )


def _exhibits(case: Case, exhibits: Sequence[Exhibit]) -> Iterator[Block]:
    yield Heading("The exhibits")
    yield Table(
        "The files of the session. The SHA-256 identifies the content of a file: if one letter"
        " changes, the SHA-256 changes.",
        columns(
            *("Exhibit", "File", "What it shows", f"Added ({case.zone})", "Bytes", "SHA-256"),
            styles=("time", "", "", "time", "number", ""),
        ),
        tuple(
            (
                Cell(f"Exhibit {number}"),
                Cell(exhibit.name, link=exhibit.file, note=exhibit.why or ""),
                Cell(f"{exhibit.kind.capitalize()}: {exhibit.shows}"),
                Cell(
                    "" if exhibit.time is None else local_text(exhibit.time, case.zone),
                    instant=exhibit.time,
                ),
                Cell(str(exhibit.bytes)),
                Cell(exhibit.sha256, is_code=True),
            )
            for number, exhibit in enumerate(exhibits, 1)
        ),
        "No files belong to the session.",
    )
    if case.messages:
        yield Paragraph("The file transcript.txt has only the messages, from all transcripts.")
    for number, exhibit in enumerate(exhibits, 1):
        if exhibit.file is not None and exhibit.media_type in PICTURES:
            yield Picture(exhibit.file, f"Exhibit {number}: {exhibit.name}")


def _verification() -> Iterator[Block]:
    yield Heading("How to check this pack")
    yield Steps(_CHECKS)
    yield Paragraph(
        "If all of them agree, nothing in this pack was changed after the expert made it. The"
        " expert can show at any time that the pack agrees with the records that it was made from."
    )


def _amount(money: Money) -> str:
    return f"{money} {money.currency}"
