"""`liveportal payout` preview, list and show."""

from __future__ import annotations

from typing import Annotated

from liveportal.cli.commands.payouts.forecast import On, parse_day
from liveportal.cli.io.view_model import Detail, Table, shows
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    ReadOptions,
    one_id,
    with_options,
)
from liveportal.cli.read_command import States, parse_states, run_read
from liveportal.ledger.queries import payouts
from liveportal.ledger.queries.reader import Reader

STATES = ("sent", "paid", "failed", "returned", "reversed")


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

    def query(reader: Reader) -> Detail:
        row = payouts.preview_on(reader, parse_day(reader, on))
        return Detail(payouts.PayoutPreview, row, title="Payout preview")

    run_read(query, ledger, read, out)


@shows(payouts.PayoutRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, state: States = None
) -> None:
    """List payouts, the oldest first.

    Example: liveportal payout list --state sent
    """
    states = parse_states(state, STATES)

    def query(reader: Reader) -> Table:
        return Table(payouts.PayoutRow, payouts.payouts(reader, states), empty="No payouts.")

    run_read(query, ledger, read, out)


@shows(payouts.PayoutDetail)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(
    payout: Annotated[str, one_id("A payout")],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
) -> None:
    """Show a payout: the earnings that it pays, and what happened to it.

    Example: liveportal payout show PO-2
    """

    def query(reader: Reader) -> Detail:
        row = payouts.payout(reader, reader.resolve_id("payout", payout))
        return Detail(payouts.PayoutDetail, row)

    run_read(query, ledger, read, out)
