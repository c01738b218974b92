"""`liveportal refunds` list and show."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from liveportal.cli.completion import ids
from liveportal.cli.io.render import hint
from liveportal.cli.io.view_model import Detail, HumanValue, Row, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, one_id, with_options
from liveportal.cli.read_command import (
    Limit,
    Query,
    parse_states,
    reads,
    reference_time,
    run_read,
    state_option,
)
from liveportal.domain.calculations.claim_answers import NO_DEADLINE
from liveportal.domain.entities import ClaimState
from liveportal.ledger.queries import claims
from liveportal.ledger.queries.reader import Reader

STATES = tuple(ClaimState)
States = Annotated[list[str] | None, state_option(STATES)]
HUMAN = ("id", "session", "state", "customer_name", "amount", "cost", "deadline", "reason")
SHOWN = (
    *("id", "state", "session", "title", "customer_name", "customer_id", "reason", "claimed_at"),
    *("late", "late_by_seconds", "window_closes", "amount", "held", "cost", "currency"),
    *("deadline", "left_seconds", "next", "if_silent", "warning", "summary", "disputed_at"),
    *("decided_at", "earlier", "record", "history"),
)


@shows(claims.ClaimRow, many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    state: States = None,
    limit: Limit = None,
) -> None:
    """List refund claims with their cost and deadline.

    The oldest claim comes first. An open claim needs your answer: dispute it or concede it.

    Examples:
      liveportal refunds list --state open
      liveportal refunds list --csv -o claims.csv
    """
    empty = "No refund claims. To record one: `liveportal refunds claim SESSION`."
    query = claim_table(state, empty=empty, limit=limit)
    shown = run_read(query, ledger, read, out)
    if any(row["state"] == ClaimState.OPEN for row in shown.rows):
        hint("To dispute a claim: `liveportal dispute file ID --edit`.")


def claim_table(
    state: list[str] | None,
    *,
    empty: str,
    disputed_only: bool = False,
    limit: int | None = None,
) -> Callable[[Reader], Table]:
    """Return the query for the claims in these states; an unknown state is a usage error."""
    states = parse_states(state, STATES)

    def query(reader: Reader) -> Table:
        now = reference_time(reader)
        rows = claims.claims(reader, now, states=states, disputed_only=disputed_only)
        return Table(claims.ClaimRow, [_human_row(row) for row in rows[:limit]], HUMAN, empty=empty)

    return query


def _human_row(row: claims.ClaimRow) -> Row:
    """Return the row of a claim; without a deadline, a terminal shows `not stated`."""
    if row.deadline != NO_DEADLINE:
        return row
    return {**row, "deadline": HumanValue(NO_DEADLINE, lambda _now, _local: ["not stated"])}


@reads(claims.ClaimDetail)
def show(claim: Annotated[str, one_id("A claim", ids("claim"))]) -> Query:
    """Show a refund claim and what you can do about it.

    The page has the reason, the amounts, what happens next, what happens if you do nothing, and
    earlier claims of the same customer.

    Example: liveportal refunds show CL-1
    """
    return partial(claim_detail, claim)


def claim_detail(claim: str, reader: Reader) -> Detail:
    """Return the details of a claim, which is named by a prefix of its id or its session's id."""
    from liveportal.cli.io.history import format_history  # No list needs it.

    row = claims.claim(reader, claims.resolve_claim(reader, claim), reference_time(reader))
    return Detail(claims.ClaimDetail, {**row, "history": format_history(row.history)}, SHOWN)
