"""`liveportal earnings`, seen otherwise: by group, by zone, by reading, by what was known; check.

`liveportal.cli.commands.earnings` adds these to its own. Each imports its queries itself, since the
plain summary is asked for most and needs none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Annotated, Any

import typer

from liveportal.cli.commands.earnings.span import First, Last, OneMonth, Span, Year, span_asked
from liveportal.cli.io.progress import progress
from liveportal.cli.io.render import for_person, hint, render
from liveportal.cli.io.view_model import Detail, HumanValue, Row, Table
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.parse.times import as_known, utc_now
from liveportal.cli.read_command import display_zone, open_reader
from liveportal.domain.money import Money
from liveportal.ledger.queries.reader import Reader

HUMAN_GROUP = (
    *("group", "name", "sessions", "minutes", "gross", "platform_fee", "deducted", "tips", "net"),
)
HUMAN_MOVED = ("kind", "session", "claim", "payout", "time", "amount", "owed")
HUMAN_BOUND = ("switch", "reading", "net", "difference", "owed", "left_out")
HUMAN_CHECKED = (*("session", "start", "billed", "expected", "difference", "explained_by"),)


# --- the summary and the months, otherwise --------------------------------------------------------


def otherwise(
    reader: Reader, asked: Span, zone: str, *, by: str | None, bounds: bool, compare: bool
) -> Table | None:
    """Return the view of some months that was asked for instead of their summary, if any."""
    if by is not None:
        return by_group(reader, by, asked, zone)
    if bounds:
        return bounds_of(reader, asked)
    return zones_compared(reader, asked) if compare else None


def by_group(reader: Reader, way: str, asked: Span, zone: str) -> Table:
    """Return the figures of some months by what their sessions have in common."""
    from liveportal.ledger.queries import breakdown

    if way not in breakdown.WAYS:
        raise typer.BadParameter(
            f"{way!r} is no way to group. The ways are: {', '.join(breakdown.WAYS)}.",
            param_hint="--by",
        )
    rows = breakdown.rows(reader, way, asked.first, asked.last, zone)
    for row in rows:
        if row["group"] is None:
            row["group"] = HumanValue(None, _in_words("none"))
    human = tuple(name for name in HUMAN_GROUP if name != "name" or way == "customer")
    title = f"Earnings of {asked.name} by {way}"
    return Table(breakdown.FIELDS, rows, human, title=title, empty="Nothing was earned.")


def zones_compared(reader: Reader, asked: Span) -> Table:
    """Return what of some months would be in another one, in the expert's own zone and in UTC."""
    from liveportal.ledger.queries import zone_comparison

    others = [zone for zone in (reader.own_timezone, "UTC") if zone != reader.timezone]
    found: list[dict[str, Any]] = [
        row
        for row in zone_comparison.moved(reader, list(dict.fromkeys(others)))
        if any(asked.first <= str(row[name]) <= asked.last for name in ("month", "would_be"))
    ]
    sessions: Counter[str] = Counter()
    nets: Counter[str] = Counter()
    for row in found:
        sessions[_move(row)] += row["sessions"] + row["free_sessions"]
        nets[_move(row)] += row["amount"].minor

    def heading(row: Row) -> str:
        net = Money(nets[_move(row)], reader.currency)
        return f"{_move(row)}: sessions {sessions[_move(row)]}, net {net}"

    return Table(
        zone_comparison.FIELDS,
        found,
        HUMAN_MOVED,
        title=f"What falls in another month than in {reader.timezone}",
        empty=f"Nothing, in {' or '.join(others)}." if others else "There is no other zone.",
        section=heading,
    )


def _move(row: Row) -> str:
    return f"{row['zone']}: from {row['month']} to {row['would_be']}"


def bounds_of(reader: Reader, asked: Span) -> Table:
    """Return what some months would be under each other reading of a switch."""
    from liveportal.ledger.queries import interpretation_range

    readings = interpretation_range.interpretations(reader)
    found = []
    with progress("Replaying", len(readings)) as told:
        for bound in interpretation_range.bounds(reader, asked.first, asked.last, readings):
            found.append(bound)
            told(int(bound.reading is not None))
    rows: list[dict[str, Any]] = interpretation_range.rows(reader, asked.name, found)
    nets = [row["net"] for row in rows]
    for row in rows:
        if row["switch"] is None:
            row["switch"] = HumanValue(None, _in_words("as it was booked"))
        row["left_out"] = HumanValue(row["left_out"], _in_words(*map(_refused, row["left_out"])))
    title = f"Net of {asked.name}: from {min(nets)} to {max(nets)} {reader.currency}"
    return Table(interpretation_range.FIELDS, rows, HUMAN_BOUND, title=title)


BOUNDS_HINT = (
    "What the platform billed stands under every reading of trial.* and billing.*, and so do"
    " payouts: owed is below zero where they were more than would have been owed."
)


def _refused(event: dict[str, Any]) -> str:
    return f"without event {event['seq']}, {event['type']} {event['thing']}: {event['code']}"


def _in_words(*lines: str) -> Any:  # noqa: ANN401 (what `HumanValue` takes)
    def words(_now: datetime, _local: tzinfo | None) -> Sequence[str]:
        return lines

    return words


# --- diff -----------------------------------------------------------------------------------------


@with_options(LedgerOption, ReadOptions, OutputOptions)
def diff(
    before: Annotated[
        str, typer.Argument(metavar="A", help="A time; a bare date is the end of that day.")
    ],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    after: Annotated[
        str | None, typer.Argument(metavar="[B]", help="A later time; default: now.")
    ] = None,
) -> None:
    """Show which months changed between two times of knowing, and which events did it.

    Each side is what --as-known shows of it. A later month whose balance alone changed is listed,
    too, without events of its own.

    Examples:
      liveportal earnings diff 2026-11-01
      liveportal earnings diff "2026-11-01 09:00" yesterday --json
    """
    from liveportal.ledger.queries import as_known_diff

    with open_reader(ledger, read, out) as reader:
        zone, now = read.timezone or reader.own_timezone, utc_now()
        since = as_known(before, zone, now)
        until = None if after is None else as_known(after, zone, now)
        if until and until < since:
            raise typer.BadParameter("the first time must not be the later one")
        with (
            as_known_diff.known(reader, since) as earlier,
            as_known_diff.known(reader, until) as later,
        ):
            rows = as_known_diff.differences(earlier, later)
        shown_in = display_zone(reader, read)
    if not (rows and for_person(out) and out.columns is None):
        render(Table(as_known_diff.FIELDS, rows, empty="Nothing changed."), out, zone=shown_in)
        return
    for row in rows:
        shown = row | {"events": HumanValue(row["events"], _events_in_words(row["events"]))}
        render(Detail(("changed", "events"), shown, title=str(row["month"])), out, zone=shown_in)


def _events_in_words(events: Any) -> Any:  # noqa: ANN401 (a list of records; what `HumanValue` takes)
    def words(_now: datetime, local: tzinfo | None) -> list[str]:
        from liveportal.cli.io.rich_output import (
            format_local_time,  # rich: only a terminal asks for words.
        )

        return [
            f"{event['seq']}  {event['type']} {event['thing'].partition(':')[2]},"
            f" {format_local_time(event['time'], local)}, net {event['amount']};"
            f" recorded {format_local_time(event['recorded_at'], local)}"
            for event in events
        ]

    return words


# --- check ----------------------------------------------------------------------------------------


@with_options(LedgerOption, ReadOptions, OutputOptions)
def check(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    month: OneMonth = None,
    first: First = None,
    last: Last = None,
    year: Year = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also sessions that were billed as we reckon.")
    ] = False,
) -> None:
    """Hold what the platform billed against our own reckoning, session by session.

    Shown are the sessions that differ, each with the readings of the policy by which, one at a
    time, it would come to what was billed; and those of which a bill was reported that is not in
    the books (`reported`).

    Examples:
      liveportal earnings check
      liveportal earnings check --month last --all --csv
    """
    from liveportal.ledger.queries import billing_audit

    with open_reader(ledger, read, out) as reader:
        asked = span_asked(reader, month, first, last, year)
        rows = billing_audit.checked(reader, asked.first, asked.last, everything=everything)
        zone, currency = display_zone(reader, read), reader.currency
    differing: list[Any] = [row["difference"] for row in rows if row["difference"]]
    reported = any(row["reported"] is not None for row in rows)
    total = sum(differing, Money(0, currency))
    title = f"Sessions billed otherwise than reckoned: {len(differing)}, by {total} {currency}"
    table = Table(
        billing_audit.FIELDS,
        rows,
        (*HUMAN_CHECKED, "reported") if reported else HUMAN_CHECKED,
        title=title if rows else None,
        empty="Every session was billed as reckoned.",
    )
    render(table, out, zone=zone)
    if reported:
        hint(
            "A bill that is reported came after a correction or a refund, and was not booked:"
            " `liveportal sessions correct ID --billed AMOUNT` books it."
        )
    if differing:
        hint("`liveportal sessions explain ID` shows how one was reckoned.")
