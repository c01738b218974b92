"""The view of one session that keeps up with the clock: `sessions show ID --follow`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo

import typer

from liveportal.cli.io.text import no_colour
from liveportal.cli.io.view_model import Detail, HumanValue, Row
from liveportal.cli.options import OutputOptions, ReadOptions
from liveportal.domain.clock import zone as zone_of

FIGURES = (
    *("elapsed_seconds", "active_seconds", "paused_seconds", "trial_ends", "trial_left_seconds"),
    *("starts_in_seconds", "billable_seconds", "gross_so_far", "earned_so_far"),
)
"""What a person sees first of a session that is not over."""

FOLLOWED = (
    *("id", "state", *FIGURES, "rate", "minutes", "gross", "fee", "earned", "currency", "start"),
    *("end", "customer_name", "title"),
)
ONGOING = ("upcoming", "live", "paused")
LONGEST_TEXT = 200
"""What is drawn every second has room for a line or two of a stranger's text."""

_FOLLOW = "--follow"

Look = Callable[[], tuple[Row, str, datetime]]
"""Reads a session anew: its row, the zone to show times in, and the instant of the figures."""


def check_follow(read: ReadOptions, out: OutputOptions) -> None:
    """End with a usage error unless there is a terminal to draw on, and a present to follow."""
    given = (out.json, out.jsonl, out.csv, out.tsv, out.header, out.fields, out.output)
    drawable = sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    if read.as_known is not None:
        raise typer.BadParameter("the past does not move: leave out --as-known", param_hint=_FOLLOW)
    if any(given) or not drawable:
        raise typer.BadParameter("draws on a terminal; scripts ask again", param_hint=_FOLLOW)


def timed(row: Row) -> Row:
    """Return a session's row with its spans as a stopwatch shows them, to a person."""
    spans = {name: value for name, value in row.items() if isinstance(value, timedelta)}
    return {**row, **{name: HumanValue(span, _stopwatch(span)) for name, span in spans.items()}}


def _stopwatch(span: timedelta) -> Callable[[datetime, tzinfo | None], list[str]]:
    return lambda _now, _local: [clock(span)]


def clock(span: timedelta) -> str:
    """Return a span as a stopwatch shows it, `0:12:05`; of a day or more the days apart."""
    seconds = abs(span) // timedelta(seconds=1)
    days, seconds = divmod(seconds, 86_400)
    shown = f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    return f"{'-' if span < timedelta() else ''}{f'{days} d ' if days else ''}{shown}"


def follow(look: Look) -> None:
    """Draw a session every second until it is over; what is drawn last stays, with its bill.

    Each time the ledger is read anew and let go, so that a pause or an end from another shell shows
    at once, and nobody waits for whoever looks on.
    """
    from rich.console import Console
    from rich.live import Live

    from liveportal.cli.io.rich_output import listing

    console = Console(
        color_system=None if no_colour() else "auto", markup=False, emoji=False, highlight=False
    )
    with Live(console=console, auto_refresh=False) as view:
        while True:
            row, zone, now = look()
            item = Detail(FOLLOWED, timed(_shortened(row)))
            view.update(listing(item, FOLLOWED, now, zone_of(zone)), refresh=True)
            if row["state"] not in ONGOING:
                return
            time.sleep(1)


def _shortened(row: Mapping[str, object]) -> Row:
    return {
        name: f"{value[:LONGEST_TEXT]}…"
        if isinstance(value, str) and len(value) > LONGEST_TEXT
        else value
        for name, value in row.items()
    }
