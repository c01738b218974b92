"""`liveportal earnings`: earnings by month and by transaction.

Other views (by group, zone, interpretation or knowledge time) are in `analysis`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.commands.earnings.analysis import (
    BOUNDED,
    BOUNDS_HINT,
    GROUPED,
    MOVED,
    compare_zones,
    special_view,
)
from liveportal.cli.commands.earnings.span import AnyMonths, Months, Span, parse_month
from liveportal.cli.completion import choices
from liveportal.cli.io.output_file import open_output
from liveportal.cli.io.render import for_person, hint, note, paged, render
from liveportal.cli.io.view_model import Detail, Table, shows, shows_result
from liveportal.cli.options import (
    LedgerOption,
    NewId,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.parse.times import MONTHS
from liveportal.cli.read_command import display_zone, open_reader, reference_time, run_read
from liveportal.domain.calculations.months import Month, MonthRow
from liveportal.domain.money import Money
from liveportal.domain.row import Row, row
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from liveportal.cli.write_command import Writer

app = Commands(
    "What you earned: summary, months, sessions, transactions, explain, check, diff, statement,"
    " adjust.",
    default="summary",
)

NOTHING_YET = "Nothing happened yet: `liveportal sync FEED` records what the platform reports."
HUMAN_MONTH = (
    *("month", "sessions", "gross", "platform_fee", "earned", "deducted", "net", "balance.owed"),
)
HUMAN_TRANSACTION = (*("time", "kind", "session", "payout", "amount", "owed", "balance", "memo"),)
HUMAN_SESSIONS = (
    *("month", "sessions", "free_sessions", "minutes", "refund_claims", "disputes", "refunds"),
    "refunded",
)


@row
class AmountRow(Row):
    """What a write on an amount adds to its result."""

    amount: Money
    currency: str


CompareZones = Annotated[
    bool,
    typer.Option(
        "--compare-zones", help="What would fall in another month, in your own zone and in UTC."
    ),
]


@app.command("summary")
@shows(earnings.SummaryRow, tables=(GROUPED, BOUNDED, MOVED))
@with_options(AnyMonths, LedgerOption, ReadOptions, OutputOptions)
def summary(
    months: AnyMonths,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="WAY",
            help="By customer, skill, kind or weekday.",
            autocompletion=choices(earnings.WAYS),
        ),
    ] = None,
    bounds: Annotated[
        bool, typer.Option("--bounds", help="What it would be, were the platform read otherwise.")
    ] = False,
    compare: CompareZones = False,
) -> None:
    """Show a month: sessions, gross, fee, refunds, net, and the balance at its end.

    Money at risk stands apart: final, still claimable (the refund window is open), held by claims.
    A terminal draws the twelve months up to it. A year, or several months, are shown as one.

    --by adds up to the same figures: a session counts once, under all its skills together, on the
    weekday on which it began in your zone. --bounds replays the journal under each other reading
    that the platform left open, one switch at a time; what it billed itself stands under all.

    Examples:
      liveportal earnings
      liveportal earnings --month 2026-10 --json
      liveportal earnings --year 2026 --by skill
      liveportal earnings --month last --as-known 2026-11-01
      liveportal earnings --month last --bounds
    """
    if sum((by is not None, bounds, compare)) > 1:
        raise typer.BadParameter("--by, --bounds and --compare-zones exclude one another")
    only_money = by is None and not bounds and not compare
    with open_reader(ledger, read, out, only_money=only_money) as reader:
        span = months.span(reader, default="this")
        zone, currency = display_zone(reader, read), reader.currency
        result: Table | Detail | None = special_view(
            reader, span, zone, by=by, bounds=bounds, compare=compare
        )
        latest, nothing = [], None
        if result is None:
            row = earnings.summary(reader, *span, reference_time(reader))
            latest = earnings.latest(reader, span.last) if for_person(out) else []
            nothing = _nothing_in(reader, span, row, latest)
            title = nothing or f"Earnings of {span.name}"
            result = Detail(earnings.SummaryRow, row, title=title)
    with paged(out):
        render(result, out, zone=zone)
        if latest and out.columns is None:
            from liveportal.cli.io.chart import draw  # Imports rich: terminals only.

            with open_output(None) as stream:
                draw(latest, currency, stream)
    if nothing:
        hint("`liveportal earnings months` lists every month; `--month last` shows the last one.")
    if bounds:
        hint(BOUNDS_HINT)


def _nothing_in(
    reader: Reader, span: Span, row: earnings.SummaryRow, latest: Sequence[Month]
) -> str | None:
    """Return a title for a month without figures, which names the latest that earned something."""
    figures = (row.sessions, row.free_sessions, row.refund_claims, row.net, row.deducted, row.tips)
    if span.first != span.last or any(figures):
        return None
    this = parse_month(reader, "this")
    nothing = f"Nothing in {_name_of(span.first, this)}{' yet' if span.first == this else ''}"
    earned = next((month for month in reversed(latest) if month.net_minor), None)
    if earned is None:
        return nothing
    return f"{nothing}; {_name_of(earned.month, this)} earned {reader.money(earned.net_minor)}"


def _name_of(month: str, this: str) -> str:
    """Return a month's name, with its year unless that is the current one."""
    year, _, number = month.partition("-")
    return MONTHS[int(number) - 1].title() + ("" if this.startswith(year) else f" {year}")


@app.command("months")
@shows(MonthRow, MOVED, many=True)
@with_options(Months, LedgerOption, ReadOptions, OutputOptions)
def months(
    months: Months,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    compare: CompareZones = False,
) -> None:
    """Show every month from the first to the last in which something happened, oldest first.

    Months between them without an entry are shown, too; a run of over 120 such months is left out,
    and a note names it. A correction counts in the month in which it was made, with its sign: it
    never changes a month that is over.

    Examples:
      liveportal earnings months
      liveportal earnings months --year 2026 --csv -o 2026.csv
      liveportal earnings months --compare-zones
    """
    with open_reader(ledger, read, out, only_money=not compare) as reader:
        span = months.span(reader)
        gaps: list[tuple[str, str]] = []
        if compare:
            table = compare_zones(reader, span)
        else:
            rows, gaps = earnings.months_and_gaps(reader, span.first, span.last)
            table = Table(MonthRow, rows, HUMAN_MONTH, empty=NOTHING_YET)
        zone = display_zone(reader, read)
    render(table, out, zone=zone)
    _name_gaps(gaps)


@app.command("sessions")
@shows(earnings.SessionSummaryRow, many=True)
@with_options(Months, LedgerOption, ReadOptions, OutputOptions)
def sessions(months: Months, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show the Session Summary: sessions, refund claims, disputes and refunds, by month.

    Examples:
      liveportal earnings sessions
      liveportal earnings sessions --year 2026 --csv
    """
    with open_reader(ledger, read, out, only_money=True) as reader:
        span = months.span(reader)
        rows, gaps = earnings.months_and_gaps(reader, span.first, span.last)
        zone = display_zone(reader, read)
    table = Table(earnings.SessionSummaryRow, rows, HUMAN_SESSIONS, empty=NOTHING_YET)
    render(table, out, zone=zone)
    _name_gaps(gaps)


def _name_gaps(gaps: Sequence[tuple[str, str]]) -> None:
    """Write a note for each run of empty months that is left out."""
    for first, last in gaps:
        note(f"From {first} to {last} nothing happened: these months are left out.")


@app.command("transactions")
@shows(earnings.TransactionRow, many=True)
@with_options(AnyMonths, LedgerOption, ReadOptions, OutputOptions)
def transactions(
    months: AnyMonths, ledger: LedgerOption, read: ReadOptions, out: OutputOptions
) -> None:
    """Show the Transaction Record: every earning, hold, refund, tip, payout, oldest first.

    The balance is what is owed after each, in the order in which they were recorded; the months
    before are in it.

    Examples:
      liveportal earnings transactions --month oct
      liveportal earnings transactions --jsonl | jq -r .amount
    """

    def query(reader: Reader) -> Table:
        span = months.span(reader)
        rows = earnings.transactions(reader, span.first, span.last)
        empty = "No transactions: `liveportal earnings months` lists the months that have some."
        return Table(earnings.TransactionRow, rows, HUMAN_TRANSACTION, empty=empty)

    run_read(query, ledger, read, out, only_money=True)


@app.command("adjust")
@shows_result(AmountRow)
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
    from liveportal.cli.commands.payouts.answers import adjusted
    from liveportal.cli.write_command import WriteStep, run_new
    from liveportal.cli.write_result import Answer
    from liveportal.domain.events.types import AdjustmentPosted

    def posted(writer: Writer, name: str) -> AdjustmentPosted:
        return AdjustmentPosted(adjustment=name, amount=writer.amount(amount), reason=reason)

    def shown(reader: Reader, _name: str) -> AmountRow:
        money = reader.parse_amount(amount)
        return AmountRow(amount=money, currency=money.currency)

    step, answer = WriteStep("adjustment", posted), Answer(AmountRow, shown, sentence=adjusted)
    run_new("AD", adjustment, step, answer, ledger, write, out)


app.place("explain", "liveportal.cli.commands.explain", "explain_month")
app.place("check", "liveportal.cli.commands.earnings.analysis")
app.place("diff", "liveportal.cli.commands.earnings.analysis")
app.place("statement", "liveportal.cli.commands.earnings.statement")
