"""`liveportal earnings months --against`: the books beside another accounting program."""

from __future__ import annotations

import typer

from liveportal.cli.commands.earnings.span import Months
from liveportal.cli.io.answers import plural
from liveportal.cli.io.progress import progress
from liveportal.cli.io.render import note, render
from liveportal.cli.io.view_model import Table
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions
from liveportal.cli.read_command import open_reader
from liveportal.ledger.queries import ledger_entries
from liveportal.services.accounting_programs import PROGRAMS, DifferingRow, compare


def compare_with(
    name: str,
    months: Months,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    *,
    exit_code: bool,
) -> None:
    """Show the months and accounts in which a program's figures differ from the book's."""
    if name not in PROGRAMS:
        raise typer.BadParameter(
            f"{name!r} is not one of {', '.join(PROGRAMS)}.", param_hint="--against"
        )
    with open_reader(ledger, read, out, only_money=True) as reader:
        span = months.span(reader)
        count = ledger_entries.book_span(reader, span.first, span.last).transactions
        with progress(f"Exporting to {name}", count) as advance:
            result = compare(reader, name, span.first, span.last, advance)
    agrees = f"{name} agrees in {plural(result.months, 'month')} and every account."
    title = f"Changes of accounts that {name} calculates differently"
    render(Table(DifferingRow, result.differences, title=title, empty=agrees), out)
    note(f"Compared with {result.version}.")
    if result.differences and exit_code:
        raise typer.Exit(1)
