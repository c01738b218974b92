"""`liveportal earnings`: what was earned, by month and by transaction."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.looking import windows, zone_of
from liveportal.cli.options import (
    LedgerOption,
    NewId,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.render import render
from liveportal.cli.results import Item, Table
from liveportal.cli.times import read_month, utc_now
from liveportal.domain.clock import local_date
from liveportal.ledger.reader import Reader
from liveportal.ledger.windows import earnings as seen

app = Commands("What you earned: summary, months, transactions, adjust.", default="summary")

HUMAN_MONTH = (
    *("month", "sessions", "gross", "platform_fee", "earned", "deducted", "net", "balance.owed"),
)
HUMAN_TRANSACTION = (
    *("time", "kind", "session", "claim", "payout", "gross", "fee", "amount", "owed", "memo"),
)
MONTH_HELP = "2026-10, oct, last or this."
OneMonth = Annotated[str | None, typer.Option("--month", metavar="MONTH", help=MONTH_HELP)]
First = Annotated[str | None, typer.Option("--from", metavar="MONTH", help="The first month.")]
Last = Annotated[str | None, typer.Option("--to", metavar="MONTH", help="The last month.")]
Year = Annotated[
    int | None, typer.Option("--year", min=1970, max=9999, metavar="YEAR", help="A whole year.")
]


@app.command("summary")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def summary(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    month: OneMonth = None,
    first: First = None,
    last: Last = None,
    year: Year = None,
) -> None:
    """Show a month: sessions, gross, fee, refunds, net, and the balance at its end.

    A year, or several months, are shown as one.

    Examples:
      liveportal earnings
      liveportal earnings --month 2026-10 --json
      liveportal earnings --year 2026
      liveportal earnings --month last --as-known 2026-11-01
    """
    with windows(ledger, read, out) as reader:
        if first or last or year:
            since, until = _span(reader, month, first, last, year)
            name = str(year) if year else f"{since}/{until}"
            row = seen.span(reader, since, until, name)
        else:
            name = _month(reader, month or "this")
            row = seen.month(reader, name)
        zone = zone_of(reader, read)
    render(Item(seen.MONTH_FIELDS, row, title=f"Earnings of {name}"), out, zone=zone)


@app.command("months")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def months(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    first: First = None,
    last: Last = None,
    year: Year = None,
) -> None:
    """Show every month in which something happened, oldest first, without gaps.

    Examples:
      liveportal earnings months
      liveportal earnings months --year 2026 --csv -o 2026.csv
    """
    with windows(ledger, read, out) as reader:
        since, until = _span(reader, None, first, last, year)
        rows = [row for row in seen.months(reader) if since <= str(row["month"]) <= until]
        zone = zone_of(reader, read)
    table = Table(seen.MONTH_FIELDS, rows, HUMAN_MONTH, empty="Nothing was earned yet.")
    render(table, out, zone=zone)


@app.command("transactions")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def transactions(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    month: OneMonth = None,
    first: First = None,
    last: Last = None,
    year: Year = None,
) -> None:
    """Show the Transaction Record: every earning, hold, refund, tip, payout, oldest first.

    Examples:
      liveportal earnings transactions --month oct
      liveportal earnings transactions --jsonl | jq -r .amount
    """
    with windows(ledger, read, out) as reader:
        rows = seen.transactions(reader, *_span(reader, month, first, last, year))
        zone = zone_of(reader, read)
    table = Table(seen.TRANSACTION_FIELDS, rows, HUMAN_TRANSACTION, empty="No transactions.")
    render(table, out, zone=zone)


@app.command("adjust")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def adjust(
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="A bonus such as 25.00, or a fee such as -3.50.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What it is for.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    adjustment: NewId = None,
) -> None:
    """Record a bonus, or a fee, that the platform posted.

    Examples:
      liveportal earnings adjust 25.00 --reason "Mentor of the month"
      liveportal earnings adjust -3.50 --reason "Transfer fee"
    """
    from liveportal.cli.acting import new_name, show_result, writing
    from liveportal.domain.events import AdjustmentPosted

    with writing(ledger, write, out, ("amount", "currency")) as writer:
        data = AdjustmentPosted(
            adjustment=new_name("AD", adjustment),
            amount=writer.amount(amount),
            reason=reason,
        )
        row = writer.record(
            data,
            data.adjustment,
            assumed=() if adjustment is not None else ("adjustment",),
        )
        zone = writer.zone
    shown = {**row, "amount": data.amount, "currency": data.amount.currency}
    show_result(shown, ("amount", "currency"), out, zone=zone)


def _month(reader: Reader, text: str) -> str:
    return read_month(text, local_date(utc_now(), reader.timezone))


def _span(
    reader: Reader, month: str | None, first: str | None, last: str | None, year: int | None
) -> tuple[str, str]:
    """Return the first and the last month asked for; they are all, where nothing is."""
    if sum(each is not None for each in (month, year, first or last)) > 1:
        raise typer.BadParameter("give one of --month, --year, or --from and --to")
    if month:
        return _month(reader, month), _month(reader, month)
    if year:
        return f"{year:04d}-01", f"{year:04d}-12"
    return _month(reader, first) if first else "0001-01", _month(
        reader, last
    ) if last else "9999-12"
