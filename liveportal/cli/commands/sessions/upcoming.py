"""`liveportal sessions` upcoming and check: the agenda, and likely mistakes.

Registered in `liveportal.cli.commands.sessions`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Annotated

import typer

from liveportal.cli.io.render import hint, render
from liveportal.cli.io.text import format_length
from liveportal.cli.io.view_model import HumanValue, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.parse.times import MONTHS, WEEKDAYS, read_length
from liveportal.cli.read_command import display_zone, open_reader, reference_time
from liveportal.domain.calculations.anomalies import LONGEST_UNPLANNED, find
from liveportal.domain.clock import day_ends, local_date, shifted
from liveportal.domain.entities import SessionState
from liveportal.domain.hint import Hint
from liveportal.domain.row import Row, row
from liveportal.ledger.queries.agenda import AgendaRow, agenda, every_session, is_overdue

AGENDA = (
    *("id", "start", "starts_in_seconds", "customer_name", "customer_local", "title"),
    *("expected_earned", "conflicts"),
)
LONGEST_AHEAD = 3_660


@row
class AnomalyRow(Row):
    """A likely mistake: its session, when it began, the other session involved, and a remedy."""

    session: str
    finding: str
    message: str
    since: datetime
    other: str | None
    hint: Hint


@shows(AgendaRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def upcoming(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    days: Annotated[
        int | None,
        typer.Option(
            "--days", min=1, max=LONGEST_AHEAD, metavar="N", help="Show only N days; 1 is today."
        ),
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(
            "--within",
            metavar="LENGTH",
            help="Show only what starts within this time, such as 48h.",
        ),
    ] = None,
) -> None:
    """Show your agenda: the sessions that are not over.

    Overdue sessions come first, then live ones, then the others by day in your own zone. Each row
    shows the customer's local time, what the session would earn, and which sessions it overlaps or
    is too close to (`preferences set --buffer-before`).

    Examples:
      liveportal sessions upcoming
      liveportal sessions upcoming --days 2
      liveportal sessions upcoming --within 48h --json --fields id,start,customer_local
    """
    if days is not None and within is not None:
        raise typer.BadParameter("Give only one of --days and --within.")
    ahead = read_length(within) if within is not None else None
    with open_reader(ledger, read, out) as reader:
        now, zone = reference_time(reader), display_zone(reader, read)
        until = None if ahead is None else shifted(now, ahead)
        if days is not None:
            until = day_ends(local_date(shifted(now, timedelta(days=days - 1)), zone), zone)
        rows = agenda(reader, now, until=until)
    table = Table(
        AgendaRow,
        [_human_row(row, now, zone) for row in rows],
        AGENDA,
        empty="No sessions are planned. `liveportal requests list` shows what you can accept.",
        section=lambda row: str(row["heading"]),
    )
    render(table, out, zone=zone, now=now)
    if any(is_overdue(row, now) for row in rows):
        hint(
            "If an overdue session took place: `liveportal sessions start ID --at TIME`."
            " If not: `liveportal sessions miss ID --by WHO`."
        )
    elif rows:
        hint("Add these to your calendar with `liveportal sessions calendar -o FILE`.")


@shows(AnomalyRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def check(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    longer_than: Annotated[
        str | None,
        typer.Option(
            "--longer-than",
            metavar="LENGTH",
            help="Report timers that run longer than this.  [default: 4h]",
        ),
    ] = None,
) -> None:
    """Find likely mistakes, such as forgotten timers.

    It also reports overlaps and unusual lengths, each with a command to fix it. A timer counts as
    forgotten when it runs longer than --longer-than, or more than twice as long as planned, but
    never before the planned length is over. The exit code is 0, whatever it finds.

    Examples:
      liveportal sessions check
      liveportal sessions check --longer-than 90min
      liveportal sessions check --json --fields session,finding,hint
    """
    longest = LONGEST_UNPLANNED if longer_than is None else read_length(longer_than)
    with open_reader(ledger, read, out) as reader:
        now, zone = reference_time(reader), display_zone(reader, read)
        anomalies = find(every_session(reader), now, longer_than=longest)
        rows = [
            AnomalyRow(
                session=anomaly.session,
                finding=anomaly.code,
                message=anomaly.message,
                since=anomaly.since,
                other=anomaly.other,
                hint=anomaly.hint,
            )
            for anomaly in anomalies
        ]
    human = ("session", "finding", "message", "since", "hint")
    render(
        Table(AnomalyRow, rows, human, empty="No likely mistakes found."), out, zone=zone, now=now
    )


# --- the agenda in words --------------------------------------------------------------------------


def _heading(row: AgendaRow, now: datetime, zone_name: str) -> str:
    """Return the heading of a row: its day in the zone, or `Now` or `Overdue`."""
    if is_overdue(row, now):
        return "Overdue: not started"
    if row.state != SessionState.UPCOMING:
        return "Now"
    day, today = local_date(row.start, zone_name), local_date(now, zone_name)
    name = f"{WEEKDAYS[day.weekday()].title()} {day.day} {MONTHS[day.month - 1].title()}"
    year = "" if day.year == today.year else f" {day.year}"
    near = {0: ", today", 1: ", tomorrow"}.get((day - today).days, "")
    return f"{name}{year}{near}"


def _human_row(row: AgendaRow, now: datetime, zone_name: str) -> dict[str, object]:
    """Return a row of the agenda with a heading, and with cells in words for a terminal."""
    dated = row.state != SessionState.UPCOMING or is_overdue(row, now)  # Not under a day's heading.
    formats: dict[str, Callable[[tzinfo | None], str]] = {
        "start": lambda local: _format_period(row, local, dated=dated),
        "starts_in_seconds": lambda _: _format_wait(row),
        "customer_name": lambda _: row.customer_name or row.customer,
        "customer_local": lambda _: _format_their_time(row),
        "conflicts": lambda _: _format_conflicts(row),
    }
    return {
        **row,
        **{name: _human_value(row[name], format_value) for name, format_value in formats.items()},
        "heading": _heading(row, now, zone_name),
    }


def _human_value(value: object, format_value: Callable[[tzinfo | None], str]) -> HumanValue:
    return HumanValue(value, lambda _now, local: [format_value(local)])


def _format_period(row: AgendaRow, local: tzinfo | None, *, dated: bool) -> str:
    from liveportal.cli.io.rich_output import format_local_time  # Imports rich: terminals only.

    start, end = row.start, row.end
    start_text = format_local_time(start, local)
    shown_start = start_text if dated else start_text.partition(" ")[2]
    if end is None:
        return f"{shown_start}-"
    end_text = format_local_time(end, local).partition(" ")[2]
    return f"{shown_start}-{end_text}"


def _format_wait(row: AgendaRow) -> str:
    """Return the time until a session starts, by how much it is late, or its state."""
    span = row.starts_in_seconds
    if span is None:
        return row.state
    return f"in {format_length(span)}" if span >= timedelta() else f"{format_length(-span)} late"


def _format_their_time(row: AgendaRow) -> str:
    """Return the weekday and time of the start in the customer's zone, if it is known."""
    if row.customer_local is None:
        return ""
    there = datetime.fromisoformat(row.customer_local)
    return f"{WEEKDAYS[there.weekday()][:3].title()} {there:%H:%M}"


def _format_conflicts(row: AgendaRow) -> str:
    return ", ".join((*row.conflicts, *(f"near {name}" for name in row.too_close)))
