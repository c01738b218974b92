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
from liveportal.domain.row import Row, columns, row
from liveportal.ledger.opening import in_pages
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from liveportal.cli.write_command import Writer

app = Commands(
    """Show what you earned and where every cent comes from.

    Months are those of the platform's time zone. `earnings statement` writes a month or a year as a
    document, such as for your tax return.

    Examples:
      liveportal earnings --month last
      liveportal earnings months --year 2026
      liveportal earnings explain 2026-10
      liveportal earnings statement 2026 -o 2026.pdf
    """,
    default="summary",
)

NOTHING_YET = (
    "Nothing is recorded yet. To record what the platform reports: `liveportal sync FEED`."
)
HUMAN_SUMMARY = tuple(
    name for name in columns(earnings.SummaryRow) if name not in ("month", "timezone", "currency")
)
"""What a terminal shows below a title that has the month, its time zone and the currency."""
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
    """What a write of an amount adds to its result."""

    amount: Money
    currency: str


AGAINST = ("hledger", "ledger", "beancount")
DIFFERING = "liveportal.services.accounting_programs.DifferingRow"
CompareZones = Annotated[
    bool,
    typer.Option(
        "--compare-zones", help="List what falls in another month in your zone or in UTC."
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
            help="Group by customer, skill, kind or weekday.",
            autocompletion=choices(earnings.WAYS),
        ),
    ] = None,
    bounds: Annotated[
        bool, typer.Option("--bounds", help="Show the range under other readings of the rules.")
    ] = False,
    compare: CompareZones = False,
) -> None:
    """Show what you earned in a month, or in several.

    The page has sessions, fees, refunds and your net, and the balance at the end of the month. It
    also shows how much of the money is final, still claimable (the refund window is open) or held
    for claims. A terminal draws the last twelve months.

    --by groups the same figures. A session counts once: with several skills, under all of them
    together; by weekday, on the day on which it began in your zone.

    --bounds recalculates the months under each reading that the platform's rules leave open, one
    switch of the policy at a time. Amounts that the platform billed do not change.

    Examples:
      liveportal earnings
      liveportal earnings --month 2026-10 --json
      liveportal earnings --year 2026 --by skill
      liveportal earnings --month last --as-known 2026-11-01
      liveportal earnings --month last --bounds
    """
    if sum((by is not None, bounds, compare)) > 1:
        raise typer.BadParameter("Give only one of --by, --bounds and --compare-zones.")
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
            title = nothing or summary_title(reader, span.name)
            human = HUMAN_SUMMARY if for_person(out) else None
            result = Detail(earnings.SummaryRow, row, human, title=title)
    with paged(out):
        render(result, out, zone=zone)
        if latest and out.columns is None:
            from liveportal.cli.io.chart import draw  # Imports rich: terminals only.

            with open_output(None) as stream:
                draw(latest, currency, stream)
    if nothing:
        hint(
            "Every month: `liveportal earnings months`."
            " Last month: `liveportal earnings --month last`."
        )
    if bounds:
        hint(BOUNDS_HINT)


def summary_title(reader: Reader, name: str) -> str:
    """Return the title of the earnings of a month, or of several with a common name."""
    return f"Earnings for {name} ({reader.currency}, months in {reader.timezone})"


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
    net = f"{reader.money(earned.net_minor)} {reader.currency}"
    return f"{nothing}; {_name_of(earned.month, this)} earned {net}"


def _name_of(month: str, this: str) -> str:
    """Return a month's name, with its year unless that is the current one."""
    year, _, number = month.partition("-")
    return MONTHS[int(number) - 1].title() + ("" if this.startswith(year) else f" {year}")


@app.command("months")
@shows(MonthRow, MOVED, DIFFERING, many=True)
@with_options(Months, LedgerOption, ReadOptions, OutputOptions)
def months(
    months: Months,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    compare: CompareZones = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="PROGRAM",
            help="Compare with what hledger, ledger or beancount calculates from an export.",
            autocompletion=choices(AGAINST),
        ),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if --against finds a difference.")
    ] = False,
) -> None:
    """List what you earned, month by month.

    The oldest month comes first. A correction counts in the month in which it was made, so it never
    changes a month that is over. Months without an entry are listed, too, unless there are more
    than 120 in a row.

    Examples:
      liveportal earnings months
      liveportal earnings months --year 2026 --csv -o 2026.csv
      liveportal earnings months --compare-zones
      liveportal earnings months --against hledger
    """
    if against is not None:
        from liveportal.cli.commands.earnings.against import compare_with

        compare_with(against, months, ledger, read, out, exit_code=exit_code)
        return
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
    """Count sessions, claims, disputes and refunds by month.

    This is the Session Summary of the platform's Earnings page.

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
        note(f"No entries from {first} to {last}: these months are left out.")


@app.command("transactions")
@shows(earnings.TransactionRow, many=True)
@with_options(AnyMonths, LedgerOption, ReadOptions, OutputOptions)
def transactions(
    months: AnyMonths, ledger: LedgerOption, read: ReadOptions, out: OutputOptions
) -> None:
    """List every earning, hold, refund, tip and payout.

    This is the Transaction Record of the platform's Earnings page. The oldest transaction comes
    first. The balance is what the platform owes you after each transaction.

    Examples:
      liveportal earnings transactions --month oct
      liveportal earnings transactions --jsonl | jq -r .amount
    """

    def query(reader: Reader) -> Table:
        span = months.span(reader)
        ids = earnings.transaction_ids(reader, span.first, span.last)
        rows = in_pages(reader, ids, earnings.running_transactions(reader, span.first))
        empty = "No transactions. Months that have some: `liveportal earnings months`."
        return Table(earnings.TransactionRow, rows, HUMAN_TRANSACTION, empty=empty)

    run_read(query, ledger, read, out, only_money=True)


@app.command("adjust")
@shows_result(AmountRow)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def adjust(
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="A bonus such as 25.00, or a fee such as -3.50.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What it was for.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    adjustment: NewId = None,
) -> None:
    """Record a bonus or a fee that the platform posted.

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
