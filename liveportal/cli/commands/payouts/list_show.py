"""`liveportal payout` preview, list and show."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Annotated

from liveportal.cli.commands.payouts.forecast import On, parse_day
from liveportal.cli.completion import ids
from liveportal.cli.io.render import EVERY_FIELD, for_person, hint
from liveportal.cli.io.view_model import Detail, Grouped, HumanValue, Table, shows
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    ReadOptions,
    one_id,
    with_options,
)
from liveportal.cli.read_command import Query, parse_states, reads, run_read, state_option
from liveportal.domain.entities import PayoutState
from liveportal.domain.money import Money
from liveportal.domain.row import columns
from liveportal.ledger.queries import payouts
from liveportal.ledger.queries.reader import Reader

STATES = tuple(PayoutState)
HUMAN = tuple(name for name in columns(payouts.PayoutRow) if name not in ("arrived_at", "evidence"))
"""When it arrived, and where a file shows it, is for `payout show`."""
States = Annotated[list[str] | None, state_option(STATES)]


@shows(payouts.PayoutPreview)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def preview(ledger: LedgerOption, read: ReadOptions, out: OutputOptions, on: On = None) -> None:
    """Show what would be paid out today, and what blocks it.

    --on shows another day instead.

    Examples:
      liveportal payout preview
      liveportal payout preview --on 2026-12-30 --json
    """
    blockers: set[str] = set()
    has_lines = out.columns is None or not {"lines", EVERY_FIELD}.isdisjoint(out.columns)

    def query(reader: Reader) -> Detail:
        row, page = preview_detail(reader, on, lines=has_lines)
        blockers.update(block.code for block in row.blocked)
        return page

    run_read(query, ledger, read, out)
    if for_person(out) and "profile_incomplete" in blockers:
        hint("To complete your payout profile: `liveportal payout profile check`.")


def preview_detail(
    reader: Reader, on: str | None = None, *, lines: bool
) -> tuple[payouts.PayoutPreview, Detail]:
    """Return the payout that would be made on a day (default: today), and its page.

    Without `lines`, the earnings that it pays are not read.
    """
    row = payouts.preview_on(reader, parse_day(reader, on), lines=lines)
    human_row = {**row, "lines": _grouped(row.lines, row.currency)}
    return row, Detail(payouts.PayoutPreview, human_row, title="Payout preview")


@reads(payouts.PayoutRow, many=True)
def list_(state: States = None) -> Query:
    """List payouts: sent, arrived, failed or returned.

    The oldest payout comes first.

    Example: liveportal payout list --state sent
    """
    states = parse_states(state, STATES)

    def query(reader: Reader) -> Table:
        empty = "No payouts yet. Upcoming payouts: `liveportal payout forecast`."
        return Table(payouts.PayoutRow, payouts.payouts(reader, states), HUMAN, empty=empty)

    return query


@reads(payouts.PayoutDetail)
def show(payout: Annotated[str, one_id("A payout", ids("payout"))]) -> Query:
    """Show a payout, the earnings it pays, and its history.

    Example: liveportal payout show PO-2
    """
    from liveportal.cli.io.history import format_history  # No list needs it.

    def query(reader: Reader) -> Detail:
        row = payouts.payout(reader, reader.resolve_id("payout", payout))
        lines = _grouped(row.lines, row.currency)
        human_row = {
            **row,
            "lines": lines,
            "history": format_history(row.history),
            "evidence": _shown_by(row),
        }
        return Detail(payouts.PayoutDetail, human_row)

    return query


def _shown_by(row: payouts.PayoutDetail) -> HumanValue | None:
    """Return the row that shows an arrival, which a terminal has in words."""
    from liveportal.domain.events.envelope import STATEMENT_PREFIX  # No list needs it.

    if row.evidence is None:
        return None
    place = f"line {row.evidence.line} (row {row.evidence.row})"
    lines = [f"{place} of the file with the SHA-256 {row.evidence.file_sha256}"]
    shown = [event.event for event in row.history if event.source.startswith(STATEMENT_PREFIX)]
    if row.state == PayoutState.PAID and shown:
        command = f"liveportal ledger reverse {shlex.quote(shown[-1])} --reason TEXT"
        lines.append(f"`{command}` takes the arrival back")
    return HumanValue(row.evidence, lambda _now, _local: lines)


def _grouped(lines: Sequence[payouts.PayoutLine], currency: str) -> Grouped:
    """Return the lines of a payout; a terminal shows those it pays and those it takes back."""
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
