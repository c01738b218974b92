"""`liveportal sessions`, only looking: list, upcoming, show.

`liveportal.cli.sessions` adds these commands to its own.
"""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.looking import States, checked_states, windows, zone_of
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.render import render
from liveportal.cli.results import Item, Table
from liveportal.cli.sessions_after import One
from liveportal.cli.times import read_month, utc_now
from liveportal.domain.clock import local_date
from liveportal.ledger.windows import sessions as seen

STATES = ("upcoming", "live", "paused", "ended", "cancelled", "missed")
HUMAN = (
    *("id", "state", "customer_name", "title", "start", "minutes", "gross", "earned"),
    *("currency", "claim"),
)


@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    state: States = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="ID", help="Only this customer's.")
    ] = None,
    month: Annotated[
        str | None,
        typer.Option("--month", metavar="MONTH", help="Only those that fall in this month."),
    ] = None,
) -> None:
    """List sessions by their start, with what each came to.

    Examples:
      liveportal sessions list --month last
      liveportal sessions list --state ended --customer C-77 --json
    """
    states = checked_states(state, STATES)
    with windows(ledger, read, out) as reader:
        today = local_date(utc_now(), reader.timezone)
        name = read_month(month, today) if month is not None else None
        rows = seen.sessions(reader, states=states, customer=customer, month=name)
        zone = zone_of(reader, read)
    render(Table(seen.FIELDS, rows, HUMAN, empty="No sessions."), out, zone=zone)


@with_options(LedgerOption, ReadOptions, OutputOptions)
def upcoming(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """List what is agreed and not over yet: upcoming, live and paused sessions.

    Example: liveportal sessions upcoming
    """
    with windows(ledger, read, out) as reader:
        rows = seen.sessions(reader, states=("upcoming", "live", "paused"))
        zone = zone_of(reader, read)
    human = ("id", "state", "start", "end", "customer_name", "title", "rate", "currency")
    render(Table(seen.FIELDS, rows, human, empty="Nothing is planned."), out, zone=zone)


@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(session: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show everything about one session: times, pauses, bill, claims, reviews, money, history.

    Example: liveportal sessions show S-1001
    """
    with windows(ledger, read, out) as reader:
        row = seen.session(reader, reader.known("session", session))
        zone = zone_of(reader, read)
    render(Item(seen.SHOW_FIELDS, row), out, zone=zone)
