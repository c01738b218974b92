"""`liveportal due`: what needs an answer, by when, and what happens if you do nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from liveportal.cli.app import Commands
from liveportal.cli.io.output_file import check_target, opened_bytes
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.text import clean
from liveportal.cli.io.view_model import HumanValue, Row, Table
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.parse.times import read_length
from liveportal.cli.read_command import display_zone, open_reader, reference_time
from liveportal.domain.clock import from_text, shifted
from liveportal.ledger.queries import due as seen
from liveportal.ledger.queries.reader import Reader

app = Commands()

SOMETHING_IS_DUE = 10
HUMAN = ("due", "kind", "id", "customer_name", "amount", "asks", "means")
ALARMS = (24 * 60, 60)
"""Minutes before a deadline at which a calendar reminds of it."""


@app.command("due")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def due(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    within: Annotated[
        str | None,
        typer.Option("--within", metavar="LENGTH", help="Only what is due by then, such as 48h."),
    ] = None,
    calendar: Annotated[
        Path | None,
        typer.Option(
            "--calendar", metavar="FILE", help="Also put the deadlines into an iCalendar file."
        ),
    ] = None,
) -> None:
    """Show what needs an answer, by when, and what happens if you do nothing.

    Requests and slots, sessions, claims, refund windows, payouts, files that the platform deletes,
    customers who ask to be forgotten, and, from the first earning on, what the payout profile and
    the tax form lack. The exit code is 10 if something of it is for you to do, and 0 otherwise: for
    cron. A calendar is brought up to date when it is written again; deadlines that are gone are
    cancelled in it.

    Examples:
      liveportal due
      liveportal due --within 48h --json
      liveportal due --within 1d > /dev/null || notify-send "liveportal: something is due"
      liveportal due --calendar deadlines.ics
    """
    horizon = read_length(within) if within is not None else None
    check_output_possible(seen.FIELDS, out, spared=ledger.files)
    check_target(calendar, (*ledger.files, *((out.output,) if out.output else ())))
    with open_reader(ledger, read, out) as reader:
        now = reference_time(reader)
        rows = seen.due(reader, now)
        zone = display_zone(reader, read)
        if calendar is not None:
            _write_calendar(reader, rows, calendar)
    if horizon is not None:
        last = shifted(now, horizon)
        rows = [row for row in rows if _is_by(row, last)]
    table = Table(seen.FIELDS, [_told(row) for row in rows], HUMAN, empty="Nothing is due.")
    render(table, out, zone=zone, now=now)
    if any(row["asks"] for row in rows):
        raise typer.Exit(SOMETHING_IS_DUE)


def _told(row: Row) -> Row:
    """Return a deadline whose kind a person reads as words, and whose day as a date."""
    kind, on = str(row["kind"]), row["due_on"]
    told = {**row, "kind": HumanValue(kind, lambda _now, _local: [kind.replace("_", " ")])}
    return (
        told
        if on is None
        else told | {"due": HumanValue(row["due"], lambda _now, _local: [str(on)])}
    )


def _is_by(row: Mapping[str, Any], last: datetime) -> bool:
    """Tell whether something is due by then; what has no stated deadline may be due any time."""
    return row["due"] is None or row["due"] <= last


def _write_calendar(reader: Reader, rows: Sequence[Row], path: Path) -> None:
    from liveportal.cli.commands.sessions.calendar import existing
    from liveportal.exports.calendar import write
    from liveportal.ledger.queries.calendar import book

    last = reader.one("SELECT recorded_at FROM event ORDER BY seq DESC LIMIT 1") or {}
    known_at = from_text(last["recorded_at"])
    entries = [_entry(row, known_at) for row in rows if row["due"] is not None]
    # A book of its own: the sessions of the same file are none of these.
    written = write(f"{book(reader)}-due", entries, existing(path))
    with opened_bytes(path) as stream:
        stream.write(written.content)
    hint(f"{len(entries)} deadlines are in {path}; import it into any calendar.")


def _entry(row: Mapping[str, Any], known_at: datetime) -> Any:  # noqa: ANN401 -- Imported late.
    from liveportal.exports.calendar import CalendarEvent

    name = clean(row["customer_name"] or row["customer"] or "")
    what = row["kind"].replace("_", " ")
    money = f"{row['amount']} {row['currency']}" if row["amount"] else ""
    lines = (clean(row["title"] or ""), money, row["means"], row["command"])
    return CalendarEvent(
        # Another day is another event; the one that it was is cancelled.
        session=f"{row['kind']}:{row['id']}:{row['due'].isoformat()}",
        start=row["due"],
        end=None,
        cancelled=False,
        changes=0,
        changed_at=known_at,
        summary=f"{what} {row['id']}" + (f" ({name})" if name else ""),
        description="\n".join(line for line in lines if line),
        alarms=ALARMS if row["asks"] else (),
    )
