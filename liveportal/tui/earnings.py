"""My Earnings: Session Summary, Transaction Record and Payout Profile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Static

from liveportal.cli.commands.earnings import HUMAN_SUMMARY, summary_title
from liveportal.cli.commands.payouts.forecast import HUMAN as HUMAN_FORECAST
from liveportal.cli.commands.payouts.list_show import HUMAN as HUMAN_PAYOUTS
from liveportal.cli.commands.payouts.list_show import preview_detail
from liveportal.cli.io.chart import BLOCKS, chart_lines
from liveportal.cli.io.view_model import Detail, Table
from liveportal.domain.calculations.months import Month
from liveportal.domain.clock import local_date, month_of
from liveportal.domain.frozen import replace
from liveportal.domain.profile.requirements import Finding
from liveportal.ledger.queries import earnings, payouts, profile
from liveportal.ledger.queries.reader import Reader
from liveportal.tui.lists import Column, List, Page
from liveportal.tui.looks import Look, Query
from liveportal.tui.tabs import Tab, detail_page, table_page
from liveportal.tui.words import Shade, one_line

if TYPE_CHECKING:
    from textual.app import ComposeResult

VIEWS = ("Session Summary", "Transaction Record", "Payout Profile")
PREVIEW = (
    "as_of",
    "eligible",
    "due_on",
    "minimum",
    "carried",
    "owed",
    "held",
    "overdue",
    "blocked",
)
CHECKS = ("requirement", "state", "message", "hint")
COUNTS = (
    *("sessions", "free_sessions", "minutes", "refund_claims", "disputes", "refunds", "refunded"),
    *("balance.owed", "balance.held", "balance.in_transit", "balance.paid_out"),
)
MONEY = tuple(name for name in HUMAN_SUMMARY if name not in {*COUNTS, "risk.as_of"})
"""The Session Summary has two columns of figures, so that the chart fits below them."""
COLUMNS = (
    Column("when", lambda row, shade: shade.time(row.time)),
    Column("what", lambda row, _: one_line(row.kind.replace("_", " "))),
    Column("of", lambda row, _: one_line(row.payout or row.claim or row.session), rank=2),
    Column("for", lambda row, _: one_line(row.memo), rank=3, is_text=True),
    Column("amount", lambda row, _: str(row.amount), is_number=True),
    Column("owed after", lambda row, _: str(row.balance), rank=1, is_number=True),
)


class Summary(NamedTuple):
    """A month, and the months to it as a chart."""

    month: str
    detail: Detail
    latest: list[Month]


class Earnings(Tab):
    """The earnings of a month, its transactions, and the payouts."""

    title, short_title = "My Earnings", "Earnings"
    steps: ClassVar[Mapping[str, str]] = {"profile": "liveportal payout profile set"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket,left", "month(-1)", "Month before", key_display="["),
        Binding("right_square_bracket,right", "month(1)", "after", key_display="]"),
        Binding("v", "next_view", "Summary/Record/Payout"),
        Binding("i", "app.step('profile')", "Fill in"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view = 0
        self.back = 0
        self.month = ""

    def compose(self) -> ComposeResult:
        """Lay out the three views; one of them is shown."""
        yield Static(id="views", markup=False)
        with ContentSwitcher(initial="summary"):
            page = Page()
            page.id = "summary"
            yield page
            record = List(
                COLUMNS,
                lambda row: str(row.transaction),
                "No transactions in this month. `[` shows the month before.",
            )
            record.id = "record"
            yield record
            page = Page()
            page.id = "payout"
            yield page

    def asks(self) -> Query:
        """Read the shown view."""
        if self.view == VIEWS.index("Payout Profile"):
            return _read_payout
        return partial(_read_record if self.view else _read_summary, self.back)

    def show(self, look: Look, shade: Shade) -> None:
        """Show the view that was read."""
        answer = look.answer
        if isinstance(answer, Summary):
            self.month = answer.month
            draw = partial(_draw_summary, answer, shade)
            self.query_one("#summary", Page).show(draw, shade)
        elif self.view == 1:
            self.month, rows = answer
            self.query_one("#record", List).show(rows, shade)
        else:
            draw = partial(_draw_payout, answer, shade)
            self.query_one("#payout", Page).show(draw, shade)
        line = Text()
        for number, name in enumerate(VIEWS):
            text = f"[{name}]" if number == self.view else f" {name} "
            line.append(f" {text}", style="bold" if number == self.view else "")
        line.append(f"   {self.month}" if self.view < 2 else "")  # noqa: PLR2004 -- Not the payout.
        self.query_one("#views", Static).update(line)

    def reshade(self, shade: Shade) -> None:
        """Draw amounts again; a page that is not shown is read when it is."""
        shown = self.shown
        shown.reshade(shade)

    @property
    def shown(self) -> List | Page:
        """The view that is shown."""
        name = ("summary", "record", "payout")[self.view]
        view: Any = self.query_one(f"#{name}")
        shown: List | Page = view
        return shown

    @property
    def selected(self) -> str | None:
        """The payout, claim or session of the transaction at the cursor, or the month."""
        if self.view == 1 and (row := self.query_one("#record", List).row):
            name: str | None = row.payout or row.session or row.claim
            return name
        return self.month or None

    def command(self, step: str) -> str | None:
        """Return the command that fills in the profile, where the profile is shown."""
        return super().command(step) if self.view == VIEWS.index("Payout Profile") else None

    def action_month(self, by: int) -> None:
        """Show another month, none after the present one."""
        self.back = max(self.back - by, 0)
        self.app.call_later(self.app.run_action, "look")

    def action_next_view(self) -> None:
        """Show the next of the three views."""
        self.choose((self.view + 1) % len(VIEWS))

    def choose(self, view: int) -> None:
        """Show one of the three views."""
        self.view = view
        self.query_one(ContentSwitcher).current = self.shown.id
        self.shown.focus()
        self.app.call_later(self.app.run_action, "look")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The payouts have no months."""
        del parameters
        return action != "month" or self.view != VIEWS.index("Payout Profile")


def _month(reader: Reader, now: datetime, back: int) -> str:
    return earnings.months_before(month_of(now, reader.timezone), back)


def _read_summary(back: int, reader: Reader, now: datetime) -> Summary:
    month = _month(reader, now, back)
    row = earnings.summary(reader, month, month, month, now)
    title = summary_title(reader, month)
    detail = Detail(earnings.SummaryRow, row, HUMAN_SUMMARY, title=title)
    return Summary(month, detail, earnings.latest(reader, _month(reader, now, 0)))


def _read_record(back: int, reader: Reader, now: datetime) -> tuple[str, list[Any]]:
    month = _month(reader, now, back)
    return month, earnings.transactions(reader, month, month)[::-1]


def _read_payout(reader: Reader, now: datetime) -> tuple[Detail, list[Table]]:
    today = local_date(now, reader.timezone)
    coming = payouts.forecast_on(reader, today)
    findings = profile.findings(reader, local_date(now, reader.own_timezone))
    tables = [
        Table(Finding, findings, CHECKS, "Payout profile"),
        Table(payouts.ForecastRow, coming, HUMAN_FORECAST, "Upcoming payouts", "None."),
        Table(
            payouts.PayoutRow,
            payouts.payouts(reader)[::-1],
            HUMAN_PAYOUTS,
            "Payouts so far",
            "None.",
        ),
    ]
    return preview_detail(reader, lines=False)[1], tables


def _draw_summary(summary: Summary, shade: Shade, width: int) -> list[Text]:
    left = detail_page(summary.detail, shade, COUNTS)(width)
    figures = replace(summary.detail, title=None)
    right = [Text(), *detail_page(figures, shade, MONEY)(width)]
    middle = max(cell_len(line.plain) for line in left[1:]) + 4
    if middle + max(cell_len(line.plain) for line in right) <= width:
        lines = [*left[:1]]
        for one, other in zip_longest(left[1:], right[1:], fillvalue=Text()):
            space = " " * (middle - cell_len(one.plain))
            lines.append(Text.assemble(one, space, other))
    else:
        lines = [*left, *right]
    if summary.latest:
        marked = chart_lines(summary.latest, shade.currency, width, BLOCKS)
        for line in marked:
            is_shown = line.lstrip().startswith(summary.month)
            lines.append(Text(line, style="bold" if is_shown else ""))
    return lines


def _draw_payout(answer: tuple[Detail, list[Table]], shade: Shade, width: int) -> list[Text]:
    preview, tables = answer
    lines = list(detail_page(preview, shade, PREVIEW)(width))
    for table in tables:
        lines += table_page(table, shade)(width)
    return lines
