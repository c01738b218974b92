"""`liveportal payout` forecast and overdue.

Registered in `liveportal.cli.commands.payouts`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.io.render import for_person, hint
from liveportal.cli.io.view_model import Detail, HumanValue, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.parse.times import read_time
from liveportal.cli.read_command import Query, reads, run_read
from liveportal.domain.clock import local_date
from liveportal.ledger.queries import payouts
from liveportal.ledger.queries.reader import Reader

HUMAN = ("on", "months", "amount", "total", "carried", "blocked")

On = Annotated[str | None, typer.Option("--on", metavar="DATE", help="The day (default: today).")]


@reads(payouts.ForecastRow, many=True)
def forecast(on: On = None) -> Query:
    """List upcoming payouts, with day and amount.

    The forecast covers what you have earned so far, and assumes that each payout is sent on the day
    on which it is due. An amount that is blocked, such as one below the minimum, is carried over to
    the next payout.

    Examples:
      liveportal payout forecast
      liveportal payout forecast --json --fields on,amount,total
    """

    def query(reader: Reader) -> Table:
        rows = payouts.forecast_on(reader, parse_day(reader, on))
        empty = "No upcoming payouts. What you earned so far: `liveportal earnings months`."
        return Table(payouts.ForecastRow, rows, HUMAN, empty=empty)

    return query


@shows(payouts.OverdueRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def overdue(ledger: LedgerOption, read: ReadOptions, out: OutputOptions, on: On = None) -> None:
    """Show overdue payouts, with a letter to the platform.

    A payout that was sent is late after 3 days by PayPal, 5 by Wise and 7 by any other method.
    `liveportal payout reconcile FILE` finds it in your statement.

    Examples:
      liveportal payout overdue
      liveportal payout overdue --json | jq -r '.[].letter'
    """

    def query(reader: Reader) -> Table | Detail:
        row = payouts.overdue_on(reader, parse_day(reader, on))
        if row is None or not for_person(out):
            rows = [row] if row else []
            empty = "Nothing is overdue. Upcoming payouts: `liveportal payout forecast`."
            return Table(payouts.OverdueRow, rows, empty=empty)
        if row.late:
            hint("`liveportal payout reconcile FILE` finds a payout in your statement.")
        lines = row.letter.splitlines()
        human_row = {**row, "letter": HumanValue(row.letter, lambda _now, _local: lines)}
        return Detail(payouts.OverdueRow, human_row, title="Overdue")

    run_read(query, ledger, read, out)


def parse_day(reader: Reader, on: str | None) -> date:
    """Return the day of `--on` in the platform's zone, by default today."""
    zone, now = reader.timezone, utc_now()
    moment = read_time(on, zone, now, date_only=True) if on is not None else now
    return local_date(moment, zone)
