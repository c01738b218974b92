"""`liveportal sessions calendar`: write the sessions as an iCalendar file.

Registered in `liveportal.cli.commands.sessions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from liveportal.cli.io.output_file import open_output
from liveportal.cli.io.render import hint, render
from liveportal.cli.io.text import clean
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import display_zone, open_reader, reference_time
from liveportal.domain.entities import SessionState
from liveportal.domain.errors import UnreadableFile
from liveportal.domain.row import Row, row
from liveportal.domain.schedule.preferences import LONGEST_ALARM, parse_structured
from liveportal.exports.calendar import CalendarEvent, write_calendar
from liveportal.ledger.queries.calendar import CalendarSession, book_name, calendar_sessions
from liveportal.ledger.queries.reader import Reader

HUMAN = ("events", "cancelled", "path")
DEFAULT_ALARMS = (15,)

Alarms = Annotated[
    list[int] | None,
    typer.Option(
        "--alarm",
        metavar="MINUTES",
        min=0,
        max=LONGEST_ALARM,
        help="Remind this long before each session; repeatable (default: preferences, or 15).",
    ),
]


@row
class CalendarResult(Row):
    """The result of `sessions calendar`; `calendar` is the text if no file was written."""

    events: int
    cancelled: int
    path: str | None
    calendar: str | None


@shows(CalendarResult)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def calendar(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    alarm: Alarms = None,
    private: Annotated[
        bool,
        typer.Option("--private", help="Leave out customers' names, titles and details."),
    ] = False,
) -> None:
    """Write your sessions to an iCalendar file.

    With -o FILE it creates or updates the file and shows a summary; entries that other programs
    wrote are kept. Without -o it writes the calendar to standard output.

    Importing the file again creates no duplicates, since each session keeps its identifier.
    Cancelled sessions stay in the file, marked as cancelled. Times are in UTC, so they are right in
    every zone.

    Examples:
      liveportal sessions calendar -o sessions.ics
      liveportal sessions calendar -o sessions.ics --alarm 60 --alarm 10 --private
      liveportal sessions calendar | ssh example.org 'cat > public_html/sessions.ics'
    """
    with open_reader(ledger, read, out) as reader:
        calendar_events = _calendar_events(reader, alarm, private=private)
        name, zone = book_name(reader), display_zone(reader, read)
    path = None if out.output == Path("-") else out.output
    written = write_calendar(name, calendar_events, existing_calendar(path))
    has_format = (out.json, out.jsonl, out.csv, out.tsv, out.header, out.fields)
    if path is not None or not any(has_format):
        with open_output(path) as stream:
            stream.flush()
            stream.buffer.write(written.content)
    if path is not None or any(has_format):
        result = CalendarResult(
            events=written.events,
            cancelled=written.cancelled,
            path=None if path is None else str(path),
            calendar=written.content.decode() if path is None else None,
        )
        render(Detail(CalendarResult, result, HUMAN), replace(out, output=None), zone=zone)
        hint("Import the file into any calendar. Run the command again to update it.")


def existing_calendar(path: Path | None) -> bytes:
    """Return the content of a calendar file to update; empty if the file does not exist."""
    if path is None or not path.is_file():
        return b""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror}.",
            hint="Choose another file; the content of this one would be lost.",
            path=str(path),
        ) from None


def _calendar_events(
    reader: Reader, alarm: Sequence[int] | None, *, private: bool
) -> list[CalendarEvent]:
    notifications = parse_structured("notifications", reader.preferences.get("notifications"))
    preferred = notifications.alarms if notifications else None
    alarms = alarm or (DEFAULT_ALARMS if preferred is None else preferred)
    now = reference_time(reader)
    return [
        # No alarms for past or cancelled sessions.
        _calendar_event(row, tuple(alarms) if _is_ahead(row, now) else (), private=private)
        for row in calendar_sessions(reader)
    ]


def _calendar_event(
    row: CalendarSession, alarms: tuple[int, ...], *, private: bool
) -> CalendarEvent:
    return CalendarEvent(
        session=row.id,
        start=row.start,
        end=row.end,
        cancelled=row.state in (SessionState.CANCELLED, SessionState.MISSED),
        changes=row.changes,
        changed_at=row.changed_at,
        summary=_title(row, private=private),
        description=_description(row, private=private),
        alarms=alarms,
    )


def _is_ahead(row: CalendarSession, now: datetime) -> bool:
    return row.state == SessionState.UPCOMING and row.start > now


def _title(row: CalendarSession, *, private: bool) -> str:
    if private:
        return "Live help"
    title, name = (clean(text or "").strip() for text in (row.title, row.customer_name))
    return f"{title or 'Live help'} ({name})" if name else title or "Live help"


def _description(row: CalendarSession, *, private: bool) -> str:
    """Return the request's description, the session's id, and its earnings."""
    currency = row.currency
    description = "" if private else (row.description or "")
    lines = [clean(line) for line in description.splitlines()]
    lines += [""] * bool(lines)
    lines.append(f"Session {row.id}" + (f", request {row.request}" if row.request else ""))
    lines.append(f"{row.rate} {currency} a minute")
    if row.state == SessionState.ENDED:
        lines.append(f"Billed {row.gross} {currency}, earned {row.earned} {currency}")
    elif row.state in (SessionState.CANCELLED, SessionState.MISSED):
        lines.append(f"It was {row.state}.")
    elif row.expected_earned is not None:
        lines.append(f"Would earn {row.expected_earned} {currency} as planned")
    return "\n".join(lines)
