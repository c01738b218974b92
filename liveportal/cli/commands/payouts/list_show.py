"""`liveportal payout` preview, list and show."""

from __future__ import annotations

from typing import Annotated

from liveportal.cli.commands.payouts.forecast import On, parse_day
from liveportal.cli.completion import ids
from liveportal.cli.io.view_model import Detail, Table
from liveportal.cli.options import one_id
from liveportal.cli.read_command import Query, parse_states, reads, state_option
from liveportal.domain.entities import PayoutState
from liveportal.ledger.queries import payouts
from liveportal.ledger.queries.reader import Reader

STATES = tuple(PayoutState)
States = Annotated[list[str] | None, state_option(STATES)]


@reads(payouts.PayoutPreview)
def preview(on: On = None) -> Query:
    """Show what a payout would be today, and what blocks it.

    Examples:
      liveportal payout preview
      liveportal payout preview --on 2026-12-30 --json
    """

    def query(reader: Reader) -> Detail:
        row = payouts.preview_on(reader, parse_day(reader, on))
        return Detail(payouts.PayoutPreview, row, title="Payout preview")

    return query


@reads(payouts.PayoutRow, many=True)
def list_(state: States = None) -> Query:
    """List payouts, the oldest first.

    Example: liveportal payout list --state sent
    """
    states = parse_states(state, STATES)

    def query(reader: Reader) -> Table:
        return Table(payouts.PayoutRow, payouts.payouts(reader, states), empty="No payouts.")

    return query


@reads(payouts.PayoutDetail)
def show(payout: Annotated[str, one_id("A payout", ids("payout"))]) -> Query:
    """Show a payout: the earnings that it pays, and what happened to it.

    Example: liveportal payout show PO-2
    """

    def query(reader: Reader) -> Detail:
        row = payouts.payout(reader, reader.resolve_id("payout", payout))
        return Detail(payouts.PayoutDetail, row)

    return query
