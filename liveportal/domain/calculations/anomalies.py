"""Likely mistakes in the sessions of a book, each with an action that corrects it.

None of these is forbidden: a platform's facts are recorded as they arrive. The clock is an
argument. Intervals are [start, end).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from liveportal.domain.calculations.live_session import RUNNING
from liveportal.domain.clock import MICROSECOND, readable, shifted, short_text
from liveportal.domain.entities import Session, SessionState
from liveportal.domain.frozen import frozen
from liveportal.domain.hint import Hint

LONGEST_UNPLANNED = timedelta(hours=4)
"""The longest plausible session without a planned length."""

LATEST_START = timedelta(hours=1)
LONGEST_SESSION = timedelta(hours=12)
LONG_PAUSE = timedelta(minutes=15)


@frozen
class Anomaly:
    """A likely mistake: its session, when it began, the other session involved, and a remedy.

    `code` is one of `CODES`.
    """

    code: str
    session: str
    message: str
    since: datetime
    hint: Hint
    other: str | None = None


@frozen
class SessionSpan:
    """An interval [start, end) that a session occupies."""

    start: datetime
    end: datetime
    session: str


CODES = (
    *("several_live", "forgotten_timer", "overlap", "double_booked", "not_started"),
    *("too_long", "billed_in_trial", "zero_length", "long_pause", "ahead_of_clock"),
)
"""The codes of all checks, the most serious first."""


def find(
    sessions: Sequence[Session], now: datetime, *, longer_than: timedelta = LONGEST_UNPLANNED
) -> list[Anomaly]:
    """Return the likely mistakes, the most serious first, then by time.

    A timer that runs longer than `longer_than` counts as forgotten, unless more was planned.
    """
    single = [
        finding for session in sessions for finding in _check_session(session, now, longer_than)
    ]
    # A forgotten timer overlaps all later sessions; it is reported only once.
    forgotten = {finding.session for finding in single if finding.code == "forgotten_timer"}
    plausible = [session for session in sessions if session.id not in forgotten]
    findings = [
        *single,
        *_several_live(sessions),
        *_overlapping_timers(plausible, now),
        *_double_booked(sessions),
    ]
    return sorted(
        findings, key=lambda finding: (CODES.index(finding.code), finding.since, finding.session)
    )


def overlaps(spans: Iterable[SessionSpan]) -> list[tuple[SessionSpan, SessionSpan]]:
    """Return each span that overlaps another, paired with the one before it that ends last.

    One sweep in order of time, so it takes no longer than sorting. Every overlapping span is in a
    pair, but not every overlapping pair is returned. An empty span overlaps nothing.
    """
    pairs = []
    furthest: SessionSpan | None = None
    nonempty = (span for span in spans if span.start < span.end)
    for span in sorted(nonempty, key=lambda s: (s.start, s.end, s.session)):
        if furthest and span.start < furthest.end:
            pairs.append((span, furthest))
        if furthest is None or span.end > furthest.end:
            furthest = span
    return pairs


def _several_live(sessions: Iterable[Session]) -> Iterator[Anomaly]:
    live = [(s.start, s.id) for s in sessions if s.state == SessionState.LIVE and s.start]
    for (_, earlier), (start, session) in pairwise(sorted(live)):
        yield Anomaly(
            "several_live",
            session,
            f"It is live while session {earlier} is live, too.",
            start,
            Hint("{pause_the_other}", session=earlier),
            earlier,
        )


def _overlapping_timers(sessions: Iterable[Session], now: datetime) -> Iterator[Anomaly]:
    """Yield sessions whose timers ran at the same time; a pause leaves room for another (R6).

    Two timers that are running now are reported as `several_live` instead.
    """
    by_id = {session.id: session for session in sessions}
    live = {name for name, session in by_id.items() if session.state == SessionState.LIVE}
    reported = set()
    for span, furthest in overlaps(_active_spans(by_id.values(), now)):
        pair = frozenset((span.session, furthest.session))
        if pair in reported or pair <= live:
            continue
        reported.add(pair)
        until = min(span.end, furthest.end)
        session, other = by_id[span.session], by_id[furthest.session]
        if session.state != SessionState.ENDED and other.state == SessionState.ENDED:
            session, other = other, session  # Only an ended session can be corrected.
        yield Anomaly(
            "overlap",
            session.id,
            (
                f"Its timer ran at the same time as that of session {other.id},"
                f" for {_format_duration(until - span.start)}."
            ),
            span.start,
            Hint(
                "{correct_its_times}" if session.state == SessionState.ENDED else "{end_it}",
                session=session.id,
            ),
            other.id,
        )


def _active_spans(sessions: Iterable[Session], now: datetime) -> Iterator[SessionSpan]:
    """Yield the intervals during which timers ran, without the pauses."""
    for session in sessions:
        if session.start is None:
            continue
        since = session.start
        for paused, resumed in session.pauses:
            yield SessionSpan(since, paused, session.id)
            since = resumed
        yield SessionSpan(since, session.end or session.paused_since or now, session.id)


def _double_booked(sessions: Iterable[Session]) -> Iterator[Anomaly]:
    booked = (
        SessionSpan(session.planned_start, session.planned_end, session.id)
        for session in sessions
        if session.state in (SessionState.UPCOMING, *RUNNING)
        and session.planned_start
        and session.planned_end
    )
    upcoming = {session.id for session in sessions if session.state == SessionState.UPCOMING}
    for span, furthest in overlaps(booked):
        names = (span.session, furthest.session)
        movable = next((name for name in names if name in upcoming), None)
        if movable is None:
            continue  # Both have begun: their timers decide, not the plan.
        other = furthest.session if movable == span.session else span.session
        yield Anomaly(
            "double_booked",
            movable,
            f"It is booked at the same time as session {other}.",
            span.start,
            Hint("{reschedule_it}", session=movable),
            other,
        )


def _check_session(session: Session, now: datetime, longer_than: timedelta) -> Iterator[Anomaly]:
    match session.state:
        case SessionState.LIVE | SessionState.PAUSED if session.start is not None:
            yield from _check_running(session, session.start, now, longer_than)
        case SessionState.UPCOMING if session.planned_start is not None:
            yield from _check_upcoming(session, session.planned_start, now)
        case SessionState.ENDED if session.start is not None and session.end is not None:
            yield from _check_ended(session, session.start, session.end, now)


def _check_running(
    session: Session, start: datetime, now: datetime, longer_than: timedelta
) -> Iterator[Anomaly]:
    if start > now:
        yield _ahead_of_clock(session, "starts", start)
        return
    minutes = session.planned_minutes
    planned = None if minutes is None else timedelta(minutes=minutes)
    # Over twice the agreed length is too long, but never less than what any session may take.
    longest = longer_than if planned is None else min(2 * planned, max(longer_than, planned))
    elapsed = now - start
    if elapsed <= longest:
        return
    plan_note = "" if planned is None else f", but {_format_duration(planned)} were agreed"
    yield Anomaly(
        "forgotten_timer",
        session.id,
        f"It has been {session.state} for {_format_duration(elapsed)}{plan_note}.",
        start,
        _end_of_timer(session, start, planned),
    )


def _end_of_timer(session: Session, start: datetime, planned: timedelta | None) -> Hint:
    """Name the likely end of a forgotten session: its pause or its planned end, if possible."""
    likely = session.paused_since
    if likely is None and planned is not None:
        likely = shifted(start, planned)
    if likely is None or likely < session.last_time:
        return Hint("{end_it}", session=session.id)
    return Hint("{end_it_then}", session=session.id, end=short_text(likely))


def _check_upcoming(session: Session, planned: datetime, now: datetime) -> Iterator[Anomaly]:
    if (delay := now - planned) > LATEST_START:
        yield Anomaly(
            "not_started",
            session.id,
            (
                f"It was planned to start {_format_duration(delay)} ago, and nothing has"
                " been recorded"
                " since."
            ),
            planned,
            Hint("{record_that_the_customer_missed_it}", session=session.id),
        )


def _check_ended(
    session: Session, start: datetime, end: datetime, now: datetime
) -> Iterator[Anomaly]:
    whole = end - start
    active = session.active_us * MICROSECOND
    if end > now:
        yield _ahead_of_clock(session, "ended", end)
    if whole > LONGEST_SESSION:
        message = f"It lasted {_format_duration(whole)}."
        yield _correctable("too_long", session, message, start, "{correct_its_end}")
    if session.gross_minor and not session.billed_us:
        message = f"It was billed, although {_format_duration(active)} are free under its policy."
        yield _correctable("billed_in_trial", session, message, end, "{bill_nothing}")
    if not whole:
        message = "It ended at the moment it started."
        yield _correctable("zero_length", session, message, start, "{correct_its_end}")
    if (paused := whole - active) > max(active, LONG_PAUSE):
        message = (
            f"It was paused for {_format_duration(paused)}, and its timer ran for only"
            f" {_format_duration(active)}."
        )
        yield _correctable("long_pause", session, message, start, "{correct_its_pauses}")


def _correctable(
    code: str, session: Session, message: str, since: datetime, correction: str
) -> Anomaly:
    return Anomaly(code, session.id, message, since, Hint(correction, session=session.id))


def _ahead_of_clock(session: Session, verb: str, at: datetime) -> Anomaly:
    """Report a recorded time in the future, from a wrong clock or a wrong offset."""
    return Anomaly(
        "ahead_of_clock",
        session.id,
        f"It {verb} at {readable(at)}, which is in the future.",
        at,
        Hint("{look_at_it}", session=session.id),
    )


def _format_duration(span: timedelta) -> str:
    """Format a duration in hours and minutes, or in seconds if it is below a minute."""
    minutes, seconds = divmod(span // timedelta(seconds=1), 60)
    if not minutes:
        return f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes)) if part
    )
