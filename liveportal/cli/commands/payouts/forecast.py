"""`liveportal payout` forecast and overdue.

Registered in `liveportal.cli.commands.payouts`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.io.render import for_person, render
from liveportal.cli.io.view_model import Detail, HumanValue, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.parse.times import read_time
from liveportal.cli.read_command import display_zone, open_reader
from liveportal.domain.clock import local_date
from liveportal.ledger.queries import payouts
from liveportal.ledger.queries.reader import Reader

On = Annotated[
    str | None, typer.Option("--on", metavar="DATE", help="As of that day; default: today.")
]


@shows(payouts.ForecastRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def forecast(ledger: LedgerOption, read: ReadOptions, out: OutputOptions, on: On = None) -> None:
    """Show when how much will be paid out, of what is earned so far.

    Each payout is as if those before it were sent when they are due. What is blocked, as `payout
    preview` says of that day, is carried over to the next: nothing comes while it is below the
    minimum, or while the payout profile is incomplete.

    Examples:
      liveportal payout forecast
      liveportal payout forecast --json --fields on,amount,total
    """
    with open_reader(ledger, read, out) as reader:
        rows = payouts.forecast_on(reader, parse_day(reader, on))
        zone = display_zone(reader, read)
    human = ("on", "months", "amount", "total", "carried", "blocked")
    empty = "Nothing is to be paid out: `liveportal earnings months` shows what was earned."
    table = Table(payouts.ForecastRow, rows, human, empty=empty)
    render(table, out, zone=zone)


@shows(payouts.OverdueRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def overdue(ledger: LedgerOption, read: ReadOptions, out: OutputOptions, on: On = None) -> None:
    """Show what should have been paid out and was not, with a text to ask for it.

    Examples:
      liveportal payout overdue
      liveportal payout overdue --json | jq -r '.[].letter'
    """
    with open_reader(ledger, read, out) as reader:
        row = payouts.overdue_on(reader, parse_day(reader, on))
        zone = display_zone(reader, read)
    if row is None or not for_person(out):
        rows = [row] if row else []
        empty = "Nothing is overdue: `liveportal payout forecast` shows what comes when."
        render(Table(payouts.OverdueRow, rows, empty=empty), out, zone=zone)
        return
    lines = row.letter.splitlines()
    human_row = {**row, "letter": HumanValue(row.letter, lambda _now, _local: lines)}
    render(Detail(payouts.OverdueRow, human_row, title="Overdue"), out, zone=zone)


def parse_day(reader: Reader, on: str | None) -> date:
    """Return the day of `--on` in the platform's zone; default: today."""
    zone, now = reader.timezone, utc_now()
    moment = read_time(on, zone, now, date_only=True) if on is not None else now
    return local_date(moment, zone)
