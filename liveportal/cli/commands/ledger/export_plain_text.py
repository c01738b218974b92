"""`liveportal ledger export hledger|ledger|beancount`: the book for other accounting programs."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from liveportal.cli.commands.earnings.span import FromTo
from liveportal.cli.commands.ledger.export import file_target
from liveportal.cli.io.answers import Sentence, plural
from liveportal.cli.io.output_file import open_output
from liveportal.cli.io.progress import progress
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import open_reader
from liveportal.cli.write_result import show_answer
from liveportal.domain.row import Row, row
from liveportal.exports.plain_text import DIALECTS, counted, lines
from liveportal.ledger.queries import ledger_entries

CHECKS = {
    "hledger": "hledger -f {} check --strict",
    "ledger": "ledger --pedantic -f {} balance",
    "beancount": "bean-check {}",
}
"""How each program checks a file."""

WithTitles = Annotated[
    bool,
    typer.Option(
        "--with-titles",
        help="Add the titles of requests. They are personal, and an export is never erased.",
    ),
]


@row
class ExportedEntries(Row):
    """A plain-text ledger that was written."""

    path: Path
    transactions: int
    first_month: str | None
    last_month: str | None


@shows(ExportedEntries)
@with_options(FromTo, LedgerOption, ReadOptions, OutputOptions)
def hledger(
    months: FromTo,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    with_titles: WithTitles = False,
) -> None:
    """Write your books as a journal for hledger.

    It has every transaction, with the event that caused it, in the month in which it counts.
    With --from, a first entry opens the accounts with their balances.

    Examples:
      liveportal ledger export hledger -o book.journal
      hledger -f book.journal check --strict
      liveportal ledger export hledger --from 2026-01 --to 2026-12 -o 2026.journal
    """
    _export("hledger", months, ledger, read, out, with_titles=with_titles)


@shows(ExportedEntries)
@with_options(FromTo, LedgerOption, ReadOptions, OutputOptions)
def ledger_(
    months: FromTo,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    with_titles: WithTitles = False,
) -> None:
    """Write your books as a journal for Ledger.

    It has every transaction, with the event that caused it, in the month in which it counts.
    With --from, a first entry opens the accounts with their balances.

    Examples:
      liveportal ledger export ledger -o book.ledger
      ledger --pedantic -f book.ledger balance
    """
    _export("ledger", months, ledger, read, out, with_titles=with_titles)


@shows(ExportedEntries)
@with_options(FromTo, LedgerOption, ReadOptions, OutputOptions)
def beancount(
    months: FromTo,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    with_titles: WithTitles = False,
) -> None:
    """Write your books as a journal for Beancount and Fava.

    It has every transaction, with the event that caused it, in the month in which it counts, and
    the balances at the end of each month, which Beancount checks. With --from, a first entry opens
    the accounts with their balances.

    Examples:
      liveportal ledger export beancount -o book.beancount
      bean-check book.beancount
      fava book.beancount
    """
    _export("beancount", months, ledger, read, out, with_titles=with_titles)


def _export(
    name: str,
    months: FromTo,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    *,
    with_titles: bool,
) -> None:
    path = file_target(ExportedEntries, "A plain-text ledger has its own format", ledger, out)
    with open_reader(ledger, read, replace(out, output=None), only_money=True) as reader:
        span = months.span(reader)
        book = ledger_entries.book_span(reader, span.first, span.last)
        with open_output(path) as stream, progress("Writing", book.transactions) as advance:
            entries = ledger_entries.entries(reader, book.months, with_titles=with_titles)
            for line in lines(DIALECTS[name], book, counted(entries, advance)):
                stream.write(f"{line}\n")
    if path is None:
        return
    exported = ExportedEntries(
        path=path,
        transactions=book.transactions,
        first_month=book.months[0] if book.months else None,
        last_month=book.months[-1] if book.months else None,
    )
    sentence = Sentence(
        *("Exported", "export", f"{plural(book.transactions, 'transaction')} to {path}"),
        more=(f"Check it with `{CHECKS[name].format(shlex.quote(str(path)))}`.",),
    )
    show_answer(
        Detail(ExportedEntries, exported),
        sentence,
        replace(out, output=None),
        ledger=ledger,
        dry_run=False,
    )
