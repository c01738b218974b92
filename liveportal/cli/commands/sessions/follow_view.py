"""`sessions show ID --follow`: a view of one session that is redrawn every second."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo

import typer

from liveportal.cli.io.render import hint
from liveportal.cli.io.text import no_colour
from liveportal.cli.io.view_model import Detail, HumanValue, Row
from liveportal.cli.options import OutputOptions, ReadOptions
from liveportal.cli.signals import end_quietly
from liveportal.domain.calculations.live_session import RUNNING
from liveportal.domain.clock import zone as zone_of
from liveportal.domain.entities import UNFINISHED

FIGURES = (
    *("elapsed_seconds", "active_seconds", "paused_seconds", "trial_ends", "trial_left_seconds"),
    *("starts_in_seconds", "billable_seconds", "gross_so_far", "earned_so_far"),
)
"""The fields that a terminal shows first for a session that is not over."""

FOLLOWED = (
    *("id", "state", *FIGURES, "rate", "minutes", "gross", "fee", "earned", "currency", "start"),
    *("end", "customer_name", "title"),
)
LONGEST_TEXT = 200
"""Longer texts are cut, in characters: the view has room for a line or two."""

ReadSession = Callable[[], tuple[Row, str, datetime]]
"""Reads a session again: its row, the zone of times, and the instant of its figures."""


def check_follow(read: ReadOptions, out: OutputOptions) -> None:
    """Raise a usage error without a terminal to draw on, and for a past state of the ledger."""
    given = (out.json, out.jsonl, out.csv, out.tsv, out.header, out.fields, out.output)
    drawable = sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    if read.as_known is not None:
        raise typer.BadParameter("Leave out --as-known: --follow shows the present.")
    if any(given) or not drawable:
        raise typer.BadParameter(
            "--follow needs a terminal. In a script, run `sessions show` again instead."
        )


def with_stopwatches(row: Row) -> Row:
    """Return a session's row; a terminal shows its spans as a stopwatch does."""
    spans = {name: value for name, value in row.items() if isinstance(value, timedelta)}
    shown = {name: HumanValue(span, _stopwatch(name, span)) for name, span in spans.items()}
    return {**row, **shown}


def _stopwatch(name: str, span: timedelta) -> Callable[[datetime, tzinfo | None], list[str]]:
    text = format_stopwatch(span)
    if name == "starts_in_seconds":
        text = f"in {text}" if span >= timedelta() else f"{text.removeprefix('-')} late"
    return lambda _now, _local: [text]


def format_stopwatch(span: timedelta) -> str:
    """Format a span as a stopwatch does, `0:12:05`, with days in front if there are any."""
    seconds = abs(span) // timedelta(seconds=1)
    days, seconds = divmod(seconds, 86_400)
    time_text = f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    return f"{'-' if span < timedelta() else ''}{f'{days} d ' if days else ''}{time_text}"


def follow(read_session: ReadSession) -> None:
    """Draw a session every second until it is over; the last view, with the bill, stays.

    The ledger is opened for each view and closed again, so that a change by another process is
    shown at once, and no writer has to wait.
    """
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from liveportal.cli.io.terminal import detail_lines
    from liveportal.cli.io.text_tables import View

    console = Console(
        color_system=None if no_colour() else "auto", markup=False, emoji=False, highlight=False
    )
    row, zone, now = read_session()
    try:
        with Live(console=console, auto_refresh=False) as view:
            while True:
                item = Detail(FOLLOWED, with_stopwatches(_shorten_texts(row)))
                shown = View(now, zone_of(zone), console.width)
                lines, _ = detail_lines(item, FOLLOWED, shown)
                view.update(Text("\n").join(lines), refresh=True)
                if row["state"] not in UNFINISHED:
                    return
                time.sleep(1)
                row, zone, now = read_session()
    except KeyboardInterrupt as interruption:
        end_quietly(interruption)
        hint(_summary(row))


def _summary(row: Row) -> str:
    """Return what a session has earned when it is no longer watched, and how to end it."""
    state = f"Session {row['id']} is still {row['state']}"
    if row["state"] not in RUNNING:
        return f"{state}."
    earned = f", with {row['earned_so_far']} {row['currency']} earned so far"
    end = f"End it with `liveportal sessions end {row['id']}`."
    return f"{state}{earned if row['earned_so_far'] else ''}. {end}"


def _shorten_texts(row: Mapping[str, object]) -> Row:
    return {
        name: f"{value[:LONGEST_TEXT]}…"
        if isinstance(value, str) and len(value) > LONGEST_TEXT
        else value
        for name, value in row.items()
    }
