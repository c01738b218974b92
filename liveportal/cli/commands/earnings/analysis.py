"""`liveportal earnings` diff and check, and the views of `--by`, `--bounds` and `--compare-zones`.

Registered in `liveportal.cli.commands.earnings`. Each function imports its queries itself, since
the plain summary is used most and needs none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.earnings.span import AnyMonths, Span
from liveportal.cli.io.progress import progress
from liveportal.cli.io.render import for_person, hint, render
from liveportal.cli.io.view_model import Detail, HumanValue, Row, Table, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.parse.times import read_as_known
from liveportal.cli.read_command import display_zone, open_reader, run_read
from liveportal.domain.money import Money
from liveportal.ledger.queries import earnings
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from liveportal.ledger.queries.as_known_diff import ChangingEvent
    from liveportal.ledger.queries.billing_audit import AuditRow
    from liveportal.ledger.queries.interpretation_range import BoundRow, LeftOutRow

HUMAN_GROUP = (
    *("group", "name", "sessions", "minutes", "gross", "platform_fee", "deducted", "tips", "net"),
)
HUMAN_MOVED = ("kind", "session", "claim", "payout", "time", "amount", "owed")
HUMAN_BOUND = ("switch", "reading", "net", "difference", "owed", "left_out")
HUMAN_CHECKED = (
    *("session", "start", "billed", "expected", "difference", "explained_by"),
    "reported",
)


GROUPED = "liveportal.ledger.queries.breakdown.GroupRow"
BOUNDED = "liveportal.ledger.queries.interpretation_range.BoundRow"
MOVED = "liveportal.ledger.queries.zone_comparison.MovedRow"


# --- views of the summary and the months ----------------------------------------------------------


def special_view(
    reader: Reader, span: Span, zone: str, *, by: str | None, bounds: bool, compare: bool
) -> Table | None:
    """Return the view that was requested instead of the summary of a span, or None."""
    if by is not None:
        return group_view(reader, by, span, zone)
    if bounds:
        return bounds_view(reader, span)
    return compare_zones(reader, span) if compare else None


def group_view(reader: Reader, way: str, span: Span, zone: str) -> Table:
    """Return the figures of a span, grouped by customer, skill, kind or weekday."""
    from liveportal.ledger.queries import breakdown

    if way not in earnings.WAYS:
        raise typer.BadParameter(
            f"{way!r} is not a way to group. The ways are: {', '.join(earnings.WAYS)}.",
            param_hint="--by",
        )
    groups = breakdown.rows(reader, way, span.first, span.last, zone)
    none = HumanValue(None, _constant_lines("none"))
    rows = [group if group.group is not None else {**group, "group": none} for group in groups]
    human = tuple(name for name in HUMAN_GROUP if name != "name" or way == "customer")
    title = f"Earnings for {span.name} by {way} ({reader.currency})"
    empty = "Nothing was earned. Months that have earnings: `liveportal earnings months`."
    return Table(breakdown.GroupRow, rows, human, title=title, empty=empty)


def compare_zones(reader: Reader, span: Span) -> Table:
    """Return what would fall in another month, in the expert's own zone and in UTC."""
    from liveportal.ledger.queries import zone_comparison

    other_zones = [zone for zone in (reader.own_timezone, "UTC") if zone != reader.timezone]
    rows = [
        row
        for row in zone_comparison.moved_entries(reader, list(dict.fromkeys(other_zones)))
        if any(span.first <= month <= span.last for month in (row.month, row.would_be))
    ]
    sessions: Counter[str] = Counter()
    nets: Counter[str] = Counter()
    for row in rows:
        sessions[_move_name(row)] += row.sessions + row.free_sessions
        nets[_move_name(row)] += row.amount.minor

    def heading(row: Row) -> str:
        from liveportal.cli.io.answers import plural  # No other format needs it.

        net = Money(nets[_move_name(row)], reader.currency)
        return (
            f"{_move_name(row)}: {plural(sessions[_move_name(row)], 'session')},"
            f" net {net} {reader.currency}"
        )

    return Table(
        zone_comparison.MovedRow,
        rows,
        HUMAN_MOVED,
        title=f"Entries that fall in a different month than in {reader.timezone}",
        empty=f"No entry falls in another month in {' or '.join(other_zones)}."
        if other_zones
        else "Your time zone and the platform's are both UTC.",
        section=heading,
    )


def _move_name(row: Row) -> str:
    return f"In {row['zone']}, from {row['month']} to {row['would_be']}"


def bounds_view(reader: Reader, span: Span) -> Table:
    """Return the figures of a span under each alternative interpretation of a switch."""
    from liveportal.ledger.queries import interpretation_range

    interpretations = interpretation_range.interpretations(reader)
    bounds = []
    with progress("Replaying", len(interpretations)) as advance:
        for bound in interpretation_range.bounds(reader, span.first, span.last, interpretations):
            bounds.append(bound)
            advance(int(bound.reading is not None))
    rows = interpretation_range.rows(reader, span.name, bounds)
    nets = [row.net for row in rows]
    title = f"Net for {span.name}: between {min(nets)} and {max(nets)} {reader.currency}"
    human_rows = [_human_bound(row) for row in rows]
    return Table(interpretation_range.BoundRow, human_rows, HUMAN_BOUND, title=title)


def _human_bound(bound: BoundRow) -> Row:
    """Return a bound with words for the booked figures, and for the events that were left out."""
    booked = HumanValue(None, _constant_lines("as booked"))
    refusals = _constant_lines(*map(_format_refusal, bound.left_out))
    return {
        **bound,
        "switch": booked if bound.switch is None else bound.switch,
        "left_out": HumanValue(bound.left_out, refusals),
    }


BOUNDS_HINT = (
    "Amounts that the platform billed, and payouts, are the same under every reading. If more was"
    " paid out than a reading allows, the amount owed is negative."
)


def _format_refusal(event: LeftOutRow) -> str:
    return f"without event {event.seq}, {event.type} {event.thing}: {event.code}"


def _constant_lines(*lines: str) -> Any:  # noqa: ANN401 (the callable of `HumanValue`)
    def format_lines(_now: datetime, _local: tzinfo | None) -> Sequence[str]:
        return lines

    return format_lines


# --- diff -----------------------------------------------------------------------------------------


@shows("liveportal.ledger.queries.as_known_diff.ChangedMonth", many=True)
@with_options(LedgerOption, ReadOptions, OutputOptions)
def diff(
    before: Annotated[
        str, typer.Argument(metavar="A", help="The earlier time; a date is the end of that day.")
    ],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    after: Annotated[
        str | None, typer.Argument(metavar="[B]", help="The later time (default: now).")
    ] = None,
) -> None:
    """Show which months changed, and which events did it.

    It compares your earnings as known at two points in time, as --as-known shows them. Use it to
    see why a month is not what it was when you looked last.

    Examples:
      liveportal earnings diff 2026-11-01
      liveportal earnings diff "2026-11-01 09:00" yesterday --json
    """
    from liveportal.ledger.queries import as_known_diff

    with open_reader(ledger, read, out) as reader:
        zone, now = read.timezone or reader.own_timezone, utc_now()
        since = read_as_known(before, zone, now)
        until = None if after is None else read_as_known(after, zone, now)
        if until and until < since:
            raise typer.BadParameter("The first time must be before the second.")
        with (
            as_known_diff.as_known(reader, since) as earlier,
            as_known_diff.as_known(reader, until) as later,
        ):
            rows = as_known_diff.differences(earlier, later)
        shown_zone = display_zone(reader, read)
    if not (rows and for_person(out) and out.columns is None):
        render(
            Table(as_known_diff.ChangedMonth, rows, empty="No month changed."), out, zone=shown_zone
        )
        return
    for month in rows:
        row = {**month, "events": HumanValue(month.events, _event_lines(month.events))}
        render(Detail(("changed", "events"), row, title=month.month), out, zone=shown_zone)


def _event_lines(events: Sequence[ChangingEvent]) -> Any:  # noqa: ANN401 (the callable of `HumanValue`)
    def format_lines(_now: datetime, local: tzinfo | None) -> list[str]:
        from liveportal.cli.io.rich_output import format_local_time  # Imports rich: terminals only.

        return [
            f"{event.type.replace('.', ' ').replace('_', ' ')} {event.thing.partition(':')[2]},"
            f" {format_local_time(event.time, local)}: net {event.amount}, recorded"
            f" {format_local_time(event.recorded_at, local)}"
            for event in events
        ]

    return format_lines


# --- check ----------------------------------------------------------------------------------------


@shows("liveportal.ledger.queries.billing_audit.AuditRow", many=True)
@with_options(AnyMonths, LedgerOption, ReadOptions, OutputOptions)
def check(
    months: AnyMonths,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    everything: Annotated[
        bool, typer.Option("--all", help="Also list sessions that agree with our calculation.")
    ] = False,
) -> None:
    """Compare the platform's bills with our calculation.

    It lists the sessions that differ, and for each the readings of the policy with which our
    calculation would agree. It also lists bills that the platform reported after a correction or a
    refund, and that are not in the books (`reported`).

    Examples:
      liveportal earnings check
      liveportal earnings check --month last --all --csv
    """
    from liveportal.ledger.queries import billing_audit

    def query(reader: Reader) -> Table:
        span = months.span(reader)
        rows = billing_audit.audit(reader, span.first, span.last, everything=everything)
        return _audit_table(rows, reader.currency)

    rows = list(run_read(query, ledger, read, out).rows)
    has_reported = any(row["reported"] is not None for row in rows)
    if has_reported:
        hint(
            "A reported bill came after a correction or a refund and is not in the books. To book"
            " it: `liveportal sessions correct ID --billed AMOUNT`."
        )
    if any(row["difference"] for row in rows):
        hint("To see how a bill is calculated: `liveportal sessions explain ID`.")


def _audit_table(rows: Sequence[AuditRow], currency: str) -> Table:
    from liveportal.cli.io.answers import plural
    from liveportal.ledger.queries import billing_audit

    differing = [row.difference for row in rows if row.difference]
    total = sum(differing, Money(0, currency))
    count = len(differing)
    difference = f", by {total} {currency} in total" if count else ""
    sessions = f"{plural(count, 'session')}{difference}"
    title = f"Billed differently from our calculation: {sessions}"
    return Table(
        billing_audit.AuditRow,
        rows,
        HUMAN_CHECKED,
        title=title if rows else None,
        empty="Every bill agrees with our calculation. To list them, add --all.",
    )
