"""`liveportal payout reconcile`: compare payouts with the files of a provider or a bank."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.mappings import mapping_names, print_template
from liveportal.cli.commands.payouts import reconcile_report
from liveportal.cli.completion import Completer, choices, ids, zones
from liveportal.cli.io.answers import plural, write_answer
from liveportal.cli.io.output_file import open_output
from liveportal.cli.io.progress import progress
from liveportal.cli.io.prompts import confirm
from liveportal.cli.io.render import check_output_possible, for_person, note, render, use_ledger
from liveportal.cli.io.view_model import Detail, Table, shows
from liveportal.cli.options import (
    LEDGER_PANEL,
    LedgerOption,
    Options,
    OutputOptions,
    options_in,
    with_options,
    writing_option,
)
from liveportal.cli.parse.hops import check_hop
from liveportal.cli.write_command import open_portal
from liveportal.domain.errors import InvalidArgument
from liveportal.domain.frozen import frozen
from liveportal.domain.hops import HOPS
from liveportal.domain.row import columns, extend, row
from liveportal.services.reconciled import FindingRow, ReconciledRow
from liveportal.tables.dates import ORDERS

if TYPE_CHECKING:
    from liveportal.portal import Portal

HUMAN = (
    *("finding", "payout", "date", "amount", "fee", "currency", "payer", "file", "line", "note"),
)
OPEN = ("short", "differs", "partly_returned", "unknown", "ambiguous", "missing")
"""The findings that leave a question."""
NO_FINDINGS = "No payout of your books is in these files, and none is missing."
_AS_GIVEN = (*("short_is_fee", "dates", "format", "hop", "mapping", "timezone", "unproved"),)
_PERCENT = 100


@row
class DryReconciledRow(ReconciledRow):
    """The same of a dry run, which records nothing."""

    dry_run: bool


@Completer
def _formats(_context: typer.Context, _incomplete: str) -> Iterable[str]:
    from liveportal.statements.registry import FORMATS

    return [form.name for form in FORMATS]


@frozen
class ReconcileOptions(Options):
    """How the files are read and compared; `config.toml` has what is the same each time."""

    payer: Annotated[
        list[str] | None,
        typer.Option(
            "--payer",
            metavar="NAME",
            help="The name or e-mail address with which the platform pays; repeatable.",
        ),
    ] = None
    pair: Annotated[
        list[str] | None,
        typer.Option(
            "--pair",
            metavar="PAYOUT=ROW",
            help="Match this payout with this row (an id, or FILE:LINE); repeatable.",
            autocompletion=ids("payout"),
        ),
    ] = None
    short_is_fee: Annotated[
        bool,
        typer.Option("--short-is-fee", help="If less arrived than was sent, the rest is a fee."),
    ] = False
    dates: Annotated[
        str | None,
        typer.Option(
            "--dates",
            metavar="ORDER",
            help="How to read dates that are ambiguous: dmy, mdy or ymd.",
            autocompletion=choices(ORDERS),
        ),
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="Read the files in this format (default: detected).",
            autocompletion=_formats,
        ),
    ] = None
    hop: Annotated[
        str | None,
        typer.Option(
            "--hop",
            metavar="HOP",
            help="For Stripe: transfer if the platform pays into your balance, else payout.",
            autocompletion=choices(HOPS),
        ),
    ] = None
    mapping: Annotated[
        str | None,
        typer.Option(
            "--mapping",
            metavar="NAME|FILE",
            help="What the columns of another CSV file are: a TOML file, or the name of one.",
            autocompletion=mapping_names("statement"),
        ),
    ] = None
    unproved: Annotated[
        bool,
        typer.Option("--unproved", help="Read a file even if its own sums do not prove it."),
    ] = False
    timezone: Annotated[
        str | None,
        options_in(LEDGER_PANEL)(
            "--timezone",
            metavar="ZONE",
            help="The zone of files that do not state one (default: yours).",
            autocompletion=zones,
        ),
    ] = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `Payouts.reconcile`; wrong values are usage errors."""
        from liveportal.cli.settings import read_settings
        from liveportal.statements.registry import FORMATS

        _check("--dates", self.dates, [*ORDERS])
        check_hop(self.hop)
        _check("--format", self.format, [form.name for form in FORMATS])
        if not all(map(str.strip, self.payer or ())):
            raise typer.BadParameter("A payer's name must not be empty.", param_hint="--payer")
        settings = read_settings()
        return {
            "payers": [*settings.table("reconcile").get("payers", ()), *(self.payer or ())],
            "pairs": _pairs(self.pair or ()),
            "windows": settings.table("reconcile.windows"),
            "kinds": settings.table("reconcile.kinds"),
            "mappings": settings.table("reconcile.mappings"),
            **{name: getattr(self, name) for name in _AS_GIVEN},
        }

    def typed(self, files: Sequence[Path]) -> str:
        """Return the command as it was typed, but for what it records."""
        words = ["payout", "reconcile", *map(str, files)]
        named = {
            f"--{name}": getattr(self, name)
            for name in ("dates", "format", "hop", "mapping", "timezone")
        }
        for option, values in (("--payer", self.payer), ("--pair", self.pair)):
            words += [word for value in values or () for word in (option, value)]
        words += [word for option, value in named.items() if value for word in (option, value)]
        words += ["--short-is-fee"] * self.short_is_fee + ["--unproved"] * self.unproved
        return shlex.join(words)


@frozen
class ApplyOptions(Options):
    """What is recorded."""

    apply: Annotated[
        bool, writing_option("--apply", help="Record what arrived and came back. Asks first.")
    ] = False
    record_unknown: Annotated[
        bool,
        writing_option(
            "--record-unknown",
            help="Record money of a named payer as a payout, too, if the books have none for it.",
        ),
    ] = False
    dry_run: Annotated[
        bool, writing_option("--dry-run", help="With --apply: try it; record nothing, ask nothing.")
    ] = False
    yes: Annotated[bool, writing_option("--yes", "-y", help="Do not ask for confirmation.")] = False


@shows(ReconciledRow, DryReconciledRow, tables=(FindingRow,))
@with_options(ReconcileOptions, LedgerOption, ApplyOptions, OutputOptions)
def reconcile(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Statements as downloaded, or ZIP archives of them; in any order.",
        ),
    ],
    how: ReconcileOptions,
    ledger: LedgerOption,
    write: ApplyOptions,
    out: OutputOptions,
    everything: Annotated[
        bool,
        typer.Option("--all", help="List every other row, too, and payouts that may still come."),
    ] = False,
    exit_code: Annotated[
        bool,
        typer.Option("--exit-code", help="Exit with 1 if a finding needs your attention."),
    ] = False,
    mapping_help: Annotated[
        bool,
        typer.Option(
            "--mapping-help",
            help="Print a mapping to fill in, made from the header of the first file, and exit.",
        ),
    ] = False,
) -> None:
    """Compare your payouts with files of PayPal, Wise, Stripe or your bank.

    It shows what arrived, with which fee, and what is missing, and records nothing without --apply.
    Each file must prove that it is complete: its rows add up, and its running balance has no gap. A
    payout is recognised by its reference, or else by payer, amount and date, and only if nothing
    else fits. Name the platform's payer with --payer, or once in config.toml.

    At PayPal: Reports > Activity download, format CSV, all transactions. For the CSV of another
    provider, --mapping-help prints a mapping to fill in, and --mapping uses it.

    Examples:
      liveportal payout reconcile Download.CSV --payer payouts@help.example
      liveportal payout reconcile *.CSV --apply
      liveportal payout reconcile Download.CSV --pair PO-1=8XK41027RB123456C
      liveportal payout reconcile bank.csv --mapping-help > bank.toml
      liveportal payout reconcile Download.CSV --json | jq -r '.findings[].payout'
    """
    if mapping_help:
        print_template(files[0], "statement")
        return
    given = how.arguments()
    names = (*columns(ReconciledRow), "dry_run", *columns(FindingRow))
    check_output_possible(names, out, spared=(*ledger.files, *files))
    report = _Report(how.typed(files), ledger, out)

    def ask(found: ReconciledRow) -> None:
        reading.close()
        report.show(found)
        if chosen := [each for each in found.findings if each.recordable]:
            report.space()
            confirm(reconcile_report.question(chosen), yes=write.yes, dry_run=write.dry_run)

    with _open(ledger, write) as portal, ExitStack() as reading:
        advance = reading.enter_context(_progress(files))
        with _naming_the_hop():
            result = portal.payouts.reconcile(
                *files,
                **given,
                record_unknown=write.record_unknown,
                everything=everything,
                apply=write.apply,
                before=ask,
                progress=advance,
            )
    report.end(extend(DryReconciledRow, result, dry_run=True) if write.dry_run else result)
    if exit_code and any(each.finding in OPEN for each in result.findings):
        raise typer.Exit(1)


class _Report:
    """What is shown: to a person the report, once, and what was recorded; else the rows."""

    def __init__(self, typed: str, ledger: LedgerOption, out: OutputOptions) -> None:
        self._typed = typed
        self._ledger = ledger.typed
        self._out = out
        self._for_person = for_person(out) and out.columns is None
        self._is_shown = False

    def show(self, found: ReconciledRow) -> None:
        """Show the report, if a person reads it and has not seen it."""
        if not self._for_person or self._is_shown:
            return
        self._is_shown = True
        from liveportal.statements.registry import FORMATS

        columns = shutil.get_terminal_size().columns
        formats = {form.name: form.label for form in FORMATS}
        with open_output(None) as stream:
            lines = reconcile_report.report_lines(found, columns, formats)
            stream.writelines(f"{line}\n" for line in lines)

    def space(self) -> None:
        """Leave a line free below what was shown."""
        if self._is_shown:
            sys.stdout.write("\n")
            sys.stdout.flush()

    def end(self, result: ReconciledRow) -> None:
        """Show the result, and to a person what to do next."""
        if not self._for_person:
            is_whole = self._out.json and set(self._out.columns or ()) <= set(result)
            table = Table(FindingRow, result.findings, HUMAN, empty=NO_FINDINGS)
            render(Detail(type(result), result) if is_whole else table, self._out)
            if not is_whole:
                self._note(result)
            return
        self.show(result)
        commands = reconcile_report.next_commands(result, self._typed)
        texts = reconcile_report.answer(result)
        if texts or commands:
            sys.stdout.write("\n")
        write_answer(texts)
        for line in reconcile_report.command_lines(commands, self._ledger):
            sys.stdout.write(f"{line}\n")

    def _note(self, result: ReconciledRow) -> None:
        """Note beside the rows what they do not show."""
        for file in result.files:
            for sentence in file.unproved:
                note(sentence)
        for sentence in reconcile_report.answer(result):
            note(sentence)


@contextmanager
def _naming_the_hop() -> Iterator[None]:
    """Report a file of Stripe without a hop as the usage error that it is."""
    try:
        yield
    except InvalidArgument as error:
        if error.details.get("argument") != "hop":
            raise
        check_hop(None, is_needed=True)


def _check(option: str, value: str | None, known: Sequence[str]) -> None:
    if value is not None and value not in known:
        raise typer.BadParameter(f"{value!r} is not one of: {', '.join(known)}.", param_hint=option)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    """Return rows by payout; raises a usage error."""
    pairs: dict[str, str] = {}
    for text in given:
        payout, equals, row = text.partition("=")
        if not (payout and equals and row):
            raise typer.BadParameter(
                f"{text!r} does not name a payout and a row, such as PO-1=8XK41 or"
                " PO-1=paypal.csv:12.",
                param_hint="--pair",
            )
        if pairs.setdefault(payout, row) != row:
            raise typer.BadParameter(f"{payout} is in two pairs.", param_hint="--pair")
    return pairs


@contextmanager
def _open(ledger: LedgerOption, write: ApplyOptions) -> Iterator[Portal]:
    """Open the ledger: to read, unless something is to be recorded."""
    if write.apply:
        with open_portal(ledger, dry_run=write.dry_run) as portal:
            yield portal
        return
    from liveportal.portal import Portal

    use_ledger(ledger.path)
    with Portal(ledger.path, mode="r", now=utc_now) as portal:
        yield portal


@contextmanager
def _progress(files: Sequence[Path]) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar while files are read."""
    name = files[0].name if len(files) == 1 else plural(len(files), "file")
    with progress(f"Reading {name}", _PERCENT) as advance:
        shown = 0

        def report(done: int, total: int) -> None:
            nonlocal shown
            percent = _PERCENT * done // max(total, 1)
            advance(percent - shown)
            shown = percent

        yield report
