"""`liveportal requests` list and show.

Registered in `liveportal.cli.commands.requests`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.requests.busy import BusyOptions, own_calendar, titles
from liveportal.cli.commands.requests.slots import format_slots
from liveportal.cli.completion import choices, ids, preferences, sorts
from liveportal.cli.io.history import format_history
from liveportal.cli.io.render import for_person, hint, render
from liveportal.cli.io.text import format_length
from liveportal.cli.io.view_model import Detail, HumanValue, Row, Table, shows
from liveportal.cli.options import (
    LedgerOption,
    OfCustomer,
    Options,
    OutputOptions,
    ReadOptions,
    one_id,
    with_options,
)
from liveportal.cli.parse.times import read_time
from liveportal.cli.read_command import (
    Limit,
    display_zone,
    open_reader,
    parse_states,
    reference_time,
    state_option,
)
from liveportal.domain.entities import RequestState
from liveportal.domain.frozen import frozen
from liveportal.domain.patterns import pattern
from liveportal.ledger.queries import requests
from liveportal.ledger.queries.calendar_conflicts import Busy
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.request_filter import SORTS, RequestFilter
from liveportal.ledger.queries.requests import RequestRow

STATES = tuple(RequestState)
OPEN = (RequestState.OPEN,)
States = Annotated[list[str] | None, state_option(STATES)]
KINDS = ("instant", "scheduled")

# What a person needs to decide; `_human_row` adds details to some of the cells.
HUMAN = (
    *("id", "kind", "state", "age_seconds", "slots", "customer.name", "title", "rate"),
    *("conflicts", "earns"),
)
SHOWN = (
    *("id", "kind", "state", "age_seconds", "left_seconds", "expires", "direct", "title"),
    *("description", "skills", "matched_skills", "matches", "customer.name", "customer.id"),
    *("customer.timezone", "customer.language", "helped", "customer_rating", "rate"),
    *("minimum", "currency", "earns", "slots", "conflicts", "session"),
    *("opened_at", "closed_at", "flags", "seq", "history"),
)
_POSITION = pattern("[0-9]{1,18}", re.ASCII)


@frozen
class Selection(Options):
    """Which requests are listed, and in which order."""

    state: States = None
    all_states: Annotated[
        bool, typer.Option("--all", help="Show answered and expired requests, too.")
    ] = False
    limit: Limit = None
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="Show only this kind: instant or scheduled.",
            autocompletion=choices(KINDS),
        ),
    ] = None
    skill: Annotated[
        list[str] | None,
        typer.Option(
            "--skill",
            metavar="SKILL",
            help="Show only requests for this skill; repeatable.",
            autocompletion=preferences("skills"),
        ),
    ] = None
    min_rate: Annotated[
        str | None,
        typer.Option("--min-rate", metavar="AMOUNT", help="Show only rates of at least this."),
    ] = None
    direct: Annotated[
        bool | None,
        typer.Option("--direct/--not-direct", help="Show only direct bookings, or only others."),
    ] = None
    customer: OfCustomer = None
    matching: Annotated[
        bool, typer.Option("--matching", help="Show only matches for your skills and rates.")
    ] = False
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME|SEQ",
            help="Show only requests since this time or position (seq).",
        ),
    ] = None
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            metavar="BY",
            help=f"Sort by one of {', '.join(SORTS)}; -{next(iter(SORTS))} reverses.",
            autocompletion=sorts(SORTS),
        ),
    ] = "opened"

    def __post_init__(self) -> None:
        """Refuse an unknown state, kind or order, and --all with a state, as wrong usage."""
        parse_states(self.state, STATES)
        if self.state and self.all_states:
            raise typer.BadParameter("Give only one of --all and --state.")
        kind, sort = self.kind, self.sort
        if kind not in (None, *KINDS):
            raise typer.BadParameter(
                f"{kind!r} is not a kind of request. The kinds are: {', '.join(KINDS)}.",
                param_hint="--kind",
            )
        if sort.removeprefix("-") not in SORTS:
            raise typer.BadParameter(
                f"{sort!r} is not an order. The orders are: {', '.join(SORTS)}.",
                param_hint="--sort",
            )

    @property
    def states(self) -> tuple[str, ...]:
        """The states to list, by default the open one; () means all."""
        return parse_states(self.state, STATES) or (() if self.all_states else OPEN)

    def request_filter(self, reader: Reader, zone: str) -> RequestFilter:
        """Return the filter; amounts are read in the ledger's currency, and times in `zone`."""
        return RequestFilter(
            states=self.states,
            kind=self.kind,
            skills=self.skill or (),
            min_rate=None if self.min_rate is None else reader.parse_amount(self.min_rate),
            direct=self.direct,
            customer=self.customer,
            matching=self.matching,
            **_parse_since(self.since, zone),
            sort=self.sort,
        )


@shows(requests.RequestRow, many=True)
@with_options(Selection, LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, selection: Selection
) -> None:
    """List open requests, the oldest first.

    Each row shows what the request would earn and which sessions it clashes with. The estimate for
    a scheduled request is based on its shortest slot, that for an instant one on an hour. A request
    that was not answered in time is listed as expired, even if the platform has not reported that.

    Examples:
      liveportal requests list --matching --sort -earns
      liveportal requests list --skill shaders --min-rate 2.50 --since yesterday
      liveportal requests list --all --since 1042 --field seq,id
      liveportal requests list --field id | liveportal requests accept -
    """
    busy = own_calendar()
    with open_reader(ledger, read, out) as reader:
        now, zone = reference_time(reader), display_zone(reader, read)
        selected = selection.request_filter(reader, zone)
        rows = requests.requests(reader, now, selected, busy)[: selection.limit]
    human_rows = [_human_row(row) for row in rows]
    empty = "No open requests. `liveportal requests list --all` shows the others."
    if selection.states != OPEN:
        empty = (
            "No requests found. `liveportal sync FEED` records what the platform reports;"
            " `liveportal requests add` adds one yourself."
        )
    table = Table(requests.RequestRow, human_rows, HUMAN, empty=empty)
    render(table, out, zone=zone, now=now)
    if any(row.state == RequestState.OPEN for row in rows):
        hint(
            "Accept one with `liveportal requests accept ID` (--best takes its best slot), or see"
            " more with `liveportal requests show ID`."
        )


@shows(requests.RequestDetail)
@with_options(BusyOptions, LedgerOption, ReadOptions, OutputOptions)
def show(
    request: Annotated[str, one_id("A request", ids("request"))],
    calendars: BusyOptions,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
) -> None:
    """Show everything about one request.

    That is the customer, the request's history and, for each proposed slot, its rank, why it suits
    you or not, and what it would earn.

    Examples:
      liveportal requests show REQ-1001
      liveportal requests show REQ-1002 --json --field slots
      liveportal requests show REQ-1002 --busy ~/calendar.ics
    """
    busy = calendars.calendar()
    with open_reader(ledger, read, out) as reader:
        now = reference_time(reader)
        row, page = request_detail(reader, reader.resolve_id("request", request), now, busy)
        zone = display_zone(reader, read)
        short = _short_id(reader, row.id) if for_person(out) else row.id
    render(page, out, zone=zone, now=now)
    if row.state == RequestState.OPEN:
        how = " --best" if row.slots else ""
        hint(f"Accept it with `liveportal requests accept {short}{how}`.")


def request_detail(
    reader: Reader, request: str, now: datetime, busy: Busy | None
) -> tuple[requests.RequestDetail, Detail]:
    """Return a request, and the page that shows everything about it."""
    row = requests.request(reader, request, now, busy)
    human_row = {
        **row,
        "earns": _estimate(row),
        "slots": format_slots(row.slots),
        "history": format_history(row.history),
        "conflicts": _clashes(row),
    }
    return row, Detail(requests.RequestDetail, human_row, SHOWN)


def _parse_since(text: str | None, zone: str) -> dict[str, Any]:
    """Parse `--since`: a time, or a position of the journal."""
    if text is None:
        return {}
    if _POSITION.fullmatch(text.strip()):
        return {"after_seq": int(text)}
    return {"since": read_time(text, zone, utc_now(), past=True, date_only=True)}


def _human_row(row: RequestRow) -> Row:
    """Return a request's row with the cells of a terminal; an open one has further details."""
    customer, is_below_minimum = row.customer, row.above_minimum is False
    name = customer.name if customer.name is not None else customer.id
    shown = {
        **row,
        "slots": HumanValue(row.slots, _format_dates(row)),
        "earns": _estimate(row),
        "conflicts": _clashes(row),
    }
    if row.state != "open":
        return shown | {"customer": {**customer, "name": _with_detail(customer.name, name, "")}}
    rating = f", {row.customer_rating} of 5" if row.customer_rating is not None else ""
    helped = f"helped {row.helped}x{rating}" if row.helped else ""
    skills = ", ".join(row.matched_skills)
    if not row.matches and not is_below_minimum:
        skills = "not your skills"
    cells: dict[str, object] = {
        "customer": {**customer, "name": _with_detail(customer.name, name, helped)},
        "title": _with_detail(row.title, row.title or "", skills),
        "rate": _with_detail(
            row.rate, str(row.rate), f"min {row.minimum}" if is_below_minimum else ""
        ),
    }
    if row.age_seconds is not None and row.left_seconds is not None:
        ages = _format_ages(row.age_seconds, row.left_seconds)
        cells["age_seconds"] = HumanValue(row.age_seconds, ages)
    return shown | cells


def _format_dates(row: RequestRow) -> Callable[[datetime, tzinfo | None], list[str]]:
    """Return a function that formats when a request is for: its first date, and how many more."""

    def lines(_now: datetime, local: tzinfo | None) -> list[str]:
        from liveportal.cli.io.rich_output import format_local_time  # Imports rich: terminals only.

        if not row.slots:
            return ["now"] if row.state == "open" else []
        more = f" or {len(row.slots) - 1} more" if len(row.slots) > 1 else ""
        return [f"{format_local_time(row.slots[0].start, local)}{more}"]

    return lines


def _clashes(row: RequestRow) -> HumanValue:
    """Return the sessions and the events of the expert's calendar that a request overlaps."""
    found = ", ".join((*row.conflicts, *titles(row.calendar_conflicts)))
    return HumanValue(row.conflicts, lambda _now, _local: [found] if found else [])


def _estimate(row: RequestRow) -> HumanValue:
    """Return what an open request would earn, with its length if that is only assumed."""
    is_assumed = len({slot.minutes for slot in row.slots}) != 1
    text = f"{row.earns} for {row.earns_minutes} min" if is_assumed else str(row.earns)
    is_open = row.state == "open" and row.earns is not None
    return HumanValue(row.earns, lambda _now, _local: [text] if is_open else [])


def _with_detail(value: object, label: str, detail: str) -> HumanValue:
    text = f"{label} ({detail})" if detail else label
    return HumanValue(value, lambda _now, _local: [text])


def _format_ages(age: timedelta, left: timedelta) -> Callable[[datetime, tzinfo | None], list[str]]:
    def lines(_now: datetime, _local: tzinfo | None) -> list[str]:

        return [f"{format_length(age)}, {format_length(left)} left"]

    return lines


def _short_id(reader: Reader, request: str) -> str:
    from liveportal.ledger.queries.short_ids import short_ids  # Terminals only.

    return short_ids(reader, [request]).get(request, request)
