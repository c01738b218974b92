"""`liveportal payout` preview, list and show."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.commands.payouts.forecast import On, parse_day
from liveportal.cli.io.render import render
from liveportal.cli.io.view_model import Detail, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.read_command import States, display_zone, open_reader, parse_states
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
    render(Detail(payouts.PayoutPreview, row, title="Payout preview"), out, zone=zone)


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
    empty = "No payouts: `liveportal payout forecast` shows what comes when."
    render(Table(payouts.PayoutRow, rows, empty=empty), out, zone=zone)


@shows(payouts.PayoutDetail)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(payout: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show a payout: the earnings that it pays, and what happened to it.

    Example: liveportal payout show PO-2
    """
    with open_reader(ledger, read, out) as reader:
        row = payouts.payout(reader, reader.resolve_id("payout", payout))
        zone = display_zone(reader, read)
    render(Detail(payouts.PayoutDetail, row), out, zone=zone)
