"""What is likely wrong with the sessions of a book, and how to mend it; the clock is an argument.

Nothing of it is forbidden: facts of a platform are recorded as they come. Spans are [start, end).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from liveportal.domain.calculations.live_session import RUNNING
from liveportal.domain.clock import MICROSECOND, shifted, short_text
from liveportal.domain.entities import Session
from liveportal.domain.values import dataclass

LONGEST_UNPLANNED = timedelta(hours=4)
"""How long a session without a plan is believed to run."""

LATEST_START = timedelta(hours=1)
LONGEST_SESSION = timedelta(hours=12)
LONG_PAUSE = timedelta(minutes=15)
_END_OF_TIMER = "liveportal sessions end {} --at {}"
_CORRECT = "liveportal sessions correct {} {} --reason TEXT"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at: of which session, since when, with which other one, and what mends it.

    `code` is one of `CODES`.
    """

    code: str
    session: str
    message: str
    since: datetime
    hint: str
    other: str | None = None


@dataclass(frozen=True, slots=True)
class SessionSpan:
    """Some time that a session takes."""

    start: datetime
    end: datetime
    session: str


CODES = (
    *("several_live", "forgotten_timer", "overlap", "double_booked", "not_started"),
    *("too_long", "billed_in_trial", "zero_length", "long_pause", "ahead_of_clock"),
)
"""All that is looked for, the most serious first."""


def find(
    sessions: Sequence[Session], now: datetime, *, longer_than: timedelta = LONGEST_UNPLANNED
) -> list[Finding]:
    """Return what is likely wrong, the most serious first, and then by time.

    `longer_than` is how long a timer runs before it counts as forgotten, unless more was planned.
    """
    alone = [each for session in sessions for each in _of_one(session, now, longer_than)]
    # A forgotten timer runs into whatever came after it; it is told once.
    forgotten = {each.session for each in alone if each.code == "forgotten_timer"}
    believed = [session for session in sessions if session.id not in forgotten]
    found = [
        *alone,
        *_several_live(sessions),
        *_overlapping(believed, now),
        *_double_booked(sessions),
    ]
    return sorted(found, key=lambda each: (CODES.index(each.code), each.since, each.session))


def overlaps(spans: Iterable[SessionSpan]) -> list[tuple[SessionSpan, SessionSpan]]:
    """Return spans that overlap, each with one that began before it and reaches furthest.

    One sweep in the order of time, so it takes no longer than sorting; every span that overlaps any
    other is named, though not together with every other. A span without length overlaps nothing.
    """
    found = []
    furthest: SessionSpan | None = None
    taking = (span for span in spans if span.start < span.end)
    for span in sorted(taking, key=lambda each: (each.start, each.end, each.session)):
        if furthest and span.start < furthest.end:
            found.append((span, furthest))
        if furthest is None or span.end > furthest.end:
            furthest = span
    return found


def _several_live(sessions: Iterable[Session]) -> Iterator[Finding]:
    live = [(each.start, each.id) for each in sessions if each.state == "live" and each.start]
    for (_, earlier), (start, session) in pairwise(sorted(live)):
        yield Finding(
            "several_live",
            session,
            f"it is live while {earlier} is live, too",
            start,
            f"liveportal sessions pause {earlier}",
            earlier,
        )


def _overlapping(sessions: Iterable[Session], now: datetime) -> Iterator[Finding]:
    """Yield what was on the timer at the same time; a pause leaves room for another session (R6).

    Two timers that run now are `several_live`.
    """
    by_id = {each.id: each for each in sessions}
    live = {name for name, each in by_id.items() if each.state == "live"}
    told = set()
    for span, furthest in overlaps(_active(by_id.values(), now)):
        pair = frozenset((span.session, furthest.session))
        if pair in told or pair <= live:
            continue
        told.add(pair)
        until = min(span.end, furthest.end)
        session, other = by_id[span.session], by_id[furthest.session]
        if session.state != "ended" and other.state == "ended":
            session, other = other, session  # What has ended can be corrected.
        yield Finding(
            "overlap",
            session.id,
            f"{_length(until - span.start)} of it were on the timer of {other.id}, too",
            span.start,
            _CORRECT.format(session.id, "--start TIME --end TIME")
            if session.state == "ended"
            else _END_OF_TIMER.format(session.id, "TIME"),
            other.id,
        )


def _active(sessions: Iterable[Session], now: datetime) -> Iterator[SessionSpan]:
    """Yield when sessions were on the timer, between their pauses."""
    for session in sessions:
        if session.start is None:
            continue
        since = session.start
        for paused, resumed in session.pauses:
            yield SessionSpan(since, paused, session.id)
            since = resumed
        yield SessionSpan(since, session.end or session.paused_since or now, session.id)


def _double_booked(sessions: Iterable[Session]) -> Iterator[Finding]:
    booked = (
        SessionSpan(each.planned_start, each.planned_end, each.id)
        for each in sessions
        if each.state in ("upcoming", *RUNNING) and each.planned_start and each.planned_end
    )
    upcoming = {each.id for each in sessions if each.state == "upcoming"}
    for span, furthest in overlaps(booked):
        names = (span.session, furthest.session)
        movable = next((name for name in names if name in upcoming), None)
        if movable is None:
            continue  # Both have begun: what counts is what their timers say.
        other = furthest.session if movable == span.session else span.session
        yield Finding(
            "double_booked",
            movable,
            f"it is booked at the same time as {other}",
            span.start,
            f"liveportal sessions reschedule {movable} --start TIME",
            other,
        )


def _of_one(session: Session, now: datetime, longer_than: timedelta) -> Iterator[Finding]:
    match session.state:
        case "live" | "paused" if session.start is not None:
            yield from _running(session, session.start, now, longer_than)
        case "upcoming" if session.planned_start is not None:
            yield from _upcoming(session, session.planned_start, now)
        case "ended" if session.start is not None and session.end is not None:
            yield from _ended(session, session.start, session.end, now)


def _running(
    session: Session, start: datetime, now: datetime, longer_than: timedelta
) -> Iterator[Finding]:
    if start > now:
        yield _ahead(session, "starts", start)
        return
    minutes = session.planned_minutes
    planned = None if minutes is None else timedelta(minutes=minutes)
    # Twice as long as was agreed is far longer, but no shorter than what is believed of any.
    most = longer_than if planned is None else min(2 * planned, max(longer_than, planned))
    elapsed = now - start
    if elapsed <= most:
        return
    agreed = "" if planned is None else f", {_length(planned)} were agreed"
    yield Finding(
        "forgotten_timer",
        session.id,
        f"it is {session.state} since {_length(elapsed)}{agreed}",
        start,
        _END_OF_TIMER.format(session.id, _likely_end(session, start, planned)),
    )


def _likely_end(session: Session, start: datetime, planned: timedelta | None) -> str:
    """Return when a forgotten session may have ended: at its pause, or as planned, if it can be."""
    likely = session.paused_since
    if likely is None and planned is not None:
        likely = shifted(start, planned)
    return "TIME" if likely is None or likely < session.last_time else short_text(likely)


def _upcoming(session: Session, planned: datetime, now: datetime) -> Iterator[Finding]:
    if now - planned > LATEST_START:
        yield Finding(
            "not_started",
            session.id,
            f"it was to start {_length(now - planned)} ago, and nothing was recorded of it since",
            planned,
            f"liveportal sessions miss {session.id} --by customer",
        )


def _ended(session: Session, start: datetime, end: datetime, now: datetime) -> Iterator[Finding]:
    whole = end - start
    active = session.active_us * MICROSECOND
    if end > now:
        yield _ahead(session, "ended", end)
    if whole > LONGEST_SESSION:
        message, options = f"it lasted {_length(whole)}", "--end TIME"
        yield _wrong("too_long", session, message, start, options)
    if session.gross_minor and not session.billed_us:
        message = f"it was billed, though {_length(active)} cost nothing by the policy"
        yield _wrong("billed_in_trial", session, message, end, "--billed 0")
    if not whole:
        message, options = "it ended as it started", "--end TIME"
        yield _wrong("zero_length", session, message, start, options)
    if (paused := whole - active) > max(active, LONG_PAUSE):
        message = f"it was paused for {_length(paused)}, and on the timer for {_length(active)}"
        yield _wrong("long_pause", session, message, start, "--pause FROM-TO")


def _wrong(code: str, session: Session, message: str, since: datetime, options: str) -> Finding:
    return Finding(code, session.id, message, since, _CORRECT.format(session.id, options))


def _ahead(session: Session, verb: str, at: datetime) -> Finding:
    """Return that something is recorded of a time to come: a clock, or an offset, is wrong."""
    return Finding(
        "ahead_of_clock",
        session.id,
        f"it {verb} at {short_text(at)}, which is still to come",
        at,
        f"liveportal sessions show {session.id}",
    )


def _length(span: timedelta) -> str:
    """Return a span in words, by its hours and minutes."""
    minutes, seconds = divmod(span // timedelta(seconds=1), 60)
    if not minutes:
        return f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes)) if part
    )
