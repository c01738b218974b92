"""`liveportal due`: what you have to do, by when, and what happens if you do nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from liveportal.cli.app import Commands
from liveportal.cli.io.hints import spell
from liveportal.cli.io.output_file import check_target, open_output_bytes
from liveportal.cli.io.render import check_output_possible, for_person, hint, render
from liveportal.cli.io.text import clean
from liveportal.cli.io.view_model import HumanValue, Row, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.parse.times import read_length
from liveportal.cli.read_command import display_zone, open_reader, reference_time
from liveportal.domain.clock import from_text, shifted
from liveportal.ledger.queries import due as due_queries
from liveportal.ledger.queries.due import DueRow
from liveportal.ledger.queries.reader import Reader

app = Commands()

SOMETHING_IS_DUE = 10
HUMAN = ("due", "kind", "id", "customer_name", "amount", "asks", "means")
ALARMS = (24 * 60, 60)
"""The alarms of a calendar, in minutes before a deadline."""


@app.command("due")
@shows(DueRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def due(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    within: Annotated[
        str | None,
        typer.Option(
            "--within", metavar="LENGTH", help="Only what is due within this time, such as 48h."
        ),
    ] = None,
    calendar: Annotated[
        Path | None,
        typer.Option(
            "--calendar", metavar="FILE", help="Also write the deadlines to an iCalendar file."
        ),
    ] = None,
) -> None:
    """Show what you have to do, and by when.

    It lists requests and slots, sessions, refund claims and windows, payouts that are due or late,
    files that the platform deletes, customers who asked to be forgotten, and what is missing in
    your payout profile: each with its deadline and with what happens if you do nothing.

    The exit code is 10 if an action is needed, and otherwise 0, so that a script can notify you.
    --calendar updates the file if it exists: deadlines that no longer apply are cancelled.

    Examples:
      liveportal due
      liveportal due --within 48h --json
      liveportal due --within 1d > /dev/null || notify-send "liveportal: something is due"
      liveportal due --calendar deadlines.ics
    """
    horizon = read_length(within) if within is not None else None
    check_output_possible(DueRow, out, spared=ledger.files)
    check_target(calendar, (*ledger.files, *((out.output,) if out.output else ())))
    with open_reader(ledger, read, out) as reader:
        now = reference_time(reader)
        rows = due_queries.due(reader, now)
        zone = display_zone(reader, read)
        if calendar is not None:
            _write_calendar(reader, rows, calendar)
    if horizon is not None:
        last = shifted(now, horizon)
        rows = [row for row in rows if _is_by(row, last)]
    empty = "Nothing is due. Planned sessions: `liveportal sessions upcoming`."
    table = Table(DueRow, [_human_row(row) for row in rows], HUMAN, empty=empty)
    render(table, out, zone=zone, now=now)
    if for_person(out) and any(row.kind == "payout_arrival" for row in rows):
        hint("To find a payout in your bank's statement: `liveportal payout reconcile FILE`.")
    if any(row.asks for row in rows):
        raise typer.Exit(SOMETHING_IS_DUE)


def _human_row(row: DueRow) -> Row:
    """Return a deadline's row, in which a terminal shows a day if it is the end of that day."""
    due_day = row.due_on
    if due_day is None and row.due is not None:
        return row
    words = str(due_day) if due_day else "not stated"
    return {**row, "due": HumanValue(row.due, lambda _now, _local: [words])}


def _is_by(row: DueRow, last: datetime) -> bool:
    """Return True if a row is due by then; one without a stated deadline may be due any time."""
    return row.due is None or row.due <= last


def _write_calendar(reader: Reader, rows: Sequence[DueRow], path: Path) -> None:
    from liveportal.cli.commands.sessions.calendar import existing_calendar
    from liveportal.cli.io.answers import plural
    from liveportal.exports.calendar import write_calendar
    from liveportal.ledger.queries.calendar import book_name

    last = reader.one("SELECT recorded_at FROM event ORDER BY seq DESC LIMIT 1") or {}
    known_at = from_text(last["recorded_at"])
    calendar_events = [
        _calendar_event(row, row.due, known_at) for row in rows if row.due is not None
    ]
    # Under a name of its own, so that the sessions in the same file are left alone.
    written = write_calendar(f"{book_name(reader)}-due", calendar_events, existing_calendar(path))
    with open_output_bytes(path) as stream:
        stream.write(written.content)
    hint(f"Wrote {plural(len(calendar_events), 'deadline')} to {path}. Any calendar can import it.")


def _calendar_event(row: DueRow, due: datetime, known_at: datetime) -> Any:  # noqa: ANN401 -- Imported late.
    from liveportal.exports.calendar import CalendarEvent

    name = clean(row.customer_name or row.customer or "")
    what = row.kind.replace("_", " ")
    money = f"{row.amount} {row.currency}" if row.amount else ""
    lines = (clean(row.title or ""), money, row.means, spell(row.command))
    return CalendarEvent(
        # A deadline that moves is a new event; the old one is cancelled.
        session=f"{row.kind}:{row.id}:{due.isoformat()}",
        start=due,
        end=None,
        cancelled=False,
        changes=0,
        changed_at=known_at,
        summary=f"{what} {row.id}" + (f" ({name})" if name else ""),
        description="\n".join(line for line in lines if line),
        alarms=ALARMS if row.asks else (),
    )
