"""`liveportal payout` preview, list and show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from liveportal.cli.commands.payouts.forecast import On, parse_day
from liveportal.cli.io.history import format_history
from liveportal.cli.io.render import render
from liveportal.cli.io.view_model import Detail, Grouped, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import States, display_zone, open_reader, parse_states
from liveportal.domain.money import Money
from liveportal.ledger.queries import payouts

STATES = ("sent", "paid", "failed", "returned", "reversed")
One = Annotated[
    str, typer.Argument(metavar="ID", help="A payout, whole or by a unique prefix of its id.")
]


@shows(payouts.PayoutPreview)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def preview(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    on: On = None,
) -> None:
    """Show what a payout would be today, and what blocks it.

    Examples:
      liveportal payout preview
      liveportal payout preview --on 2026-12-30 --json
    """
    with open_reader(ledger, read, out) as reader:
        row = payouts.preview_on(reader, parse_day(reader, on))
        zone = display_zone(reader, read)
    human_row = {**row, "lines": _grouped(row.lines, row.currency)}
    render(Detail(payouts.PayoutPreview, human_row, title="Payout preview"), out, zone=zone)


@shows(payouts.PayoutRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, state: States = None
) -> None:
    """List payouts, the oldest first.

    Example: liveportal payout list --state sent
    """
    states = parse_states(state, STATES)
    with open_reader(ledger, read, out) as reader:
        rows = payouts.payouts(reader, states)
        zone = display_zone(reader, read)
    render(Table(payouts.PayoutRow, rows, empty="No payouts."), out, zone=zone)


@shows(payouts.PayoutDetail)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(payout: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show a payout: the earnings that it pays, and what happened to it.

    Example: liveportal payout show PO-2
    """
    with open_reader(ledger, read, out) as reader:
        row = payouts.payout(reader, reader.resolve_id("payout", payout))
        zone = display_zone(reader, read)
    human_row = {
        **row,
        "lines": _grouped(row.lines, row.currency),
        "history": format_history(row.history),
    }
    render(Detail(payouts.PayoutDetail, human_row), out, zone=zone)


def _grouped(lines: Sequence[payouts.PayoutLine], currency: str) -> Grouped:
    """Return the lines of a payout, which a terminal shows as what is paid and what taken back."""
    paid = [line for line in lines if line.amount.minor >= 0]
    taken_back = [line for line in lines if line.amount.minor < 0]
    nothing = Money(0, currency)
    total = sum((line.amount for line in paid), nothing)
    total_back = -sum((line.amount for line in taken_back), nothing)
    return Grouped(
        lines,
        (
            (f"Pays {total} {currency}", paid),
            (f"Takes back {total_back} {currency}", taken_back),
        ),
    )
