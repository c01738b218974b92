"""`liveportal requests`, only looking: list, show.

`liveportal.cli.commands.requests` adds these commands to its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Annotated, Any

import typer

from liveportal.cli.commands.requests.slots import in_words
from liveportal.cli.io.history import in_words as history_in_words
from liveportal.cli.io.render import hint, render
from liveportal.cli.io.view_model import Detail, HumanValue, Table
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.parse.times import read_time, utc_now
from liveportal.cli.read_command import (
    States,
    checked_states,
    display_zone,
    open_reader,
    reference_time,
)
from liveportal.domain.money import Money
from liveportal.domain.patterns import pattern
from liveportal.ledger.queries import requests as seen
from liveportal.ledger.queries.reader import Reader, Row
from liveportal.ledger.queries.request_filter import SORTS, RequestFilter

STATES = ("open", "accepted", "declined", "withdrawn", "taken", "expired")
KINDS = ("instant", "scheduled")

# What a person decides by, in 80 columns; `_told` puts more into some of them.
HUMAN = (
    *("id", "kind", "state", "age_seconds", "customer.name", "title", "rate", "conflicts"),
    "earns",
)
SHOWN = (
    *("id", "kind", "state", "age_seconds", "left_seconds", "expires", "direct", "title"),
    *("description", "skills", "matched_skills", "matches", "customer.name", "customer.id"),
    *("customer.timezone", "customer.language", "helped", "customer_rating", "rate"),
    *("minimum", "currency", "earns", "earns_minutes", "slots", "conflicts", "session"),
    *("opened_at", "closed_at", "flags", "seq", "history"),
)
_POSITION = pattern("[0-9]{1,18}", re.ASCII)

One = Annotated[
    str, typer.Argument(metavar="ID", help="A request, whole or by a unique prefix of its id.")
]


@with_options(LedgerOption, ReadOptions, OutputOptions)
def list_(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    state: States = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="Only instant or scheduled ones.")
    ] = None,
    skill: Annotated[
        list[str] | None,
        typer.Option("--skill", help="Only those that ask for this skill; may be repeated."),
    ] = None,
    min_rate: Annotated[
        str | None,
        typer.Option("--min-rate", metavar="AMOUNT", help="Only those that pay this, or more."),
    ] = None,
    direct: Annotated[
        bool | None,
        typer.Option("--direct/--not-direct", help="Only direct bookings, or all others."),
    ] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="ID", help="Only this customer's.")
    ] = None,
    matching: Annotated[
        bool, typer.Option("--matching", help="Only those that match your skills and rates.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Only those opened since then; a bare number is a position of the journal"
            " (field seq), after which they were.",
        ),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            "--sort", metavar="BY", help=f"By {', '.join(SORTS)}; -{next(iter(SORTS))} reverses."
        ),
    ] = "opened",
) -> None:
    """List requests, the oldest first: what each asks, what it would earn, what it clashes with.

    An open one whose time to answer is over reads as expired; nothing is recorded for it. Ages and
    times left are of open ones only. A scheduled one earns at least what its shortest slot does, an
    instant one is taken to last an hour.

    Examples:
      liveportal requests list --state open --matching --sort -earns
      liveportal requests list --skill shaders --min-rate 2.50 --since yesterday
      liveportal requests list --since 1042 --field seq,id
      liveportal requests list --state open --field id | liveportal requests accept -
    """
    states = checked_states(state, STATES)
    if kind not in (None, *KINDS):
        raise typer.BadParameter(f"{kind!r} is not one of {', '.join(KINDS)}", param_hint="--kind")
    if sort.removeprefix("-") not in SORTS:
        raise typer.BadParameter(f"{sort!r} is not one of {', '.join(SORTS)}", param_hint="--sort")
    with open_reader(ledger, read, out) as reader:
        now, zone = reference_time(reader), display_zone(reader, read)
        wanted = RequestFilter(
            states=states,
            kind=kind,
            skills=skill or (),
            min_rate=_amount(min_rate, reader) if min_rate is not None else None,
            direct=direct,
            customer=customer,
            matching=matching,
            **_since(since, zone),
            sort=sort,
        )
        rows = seen.requests(reader, now, wanted)
    table = Table(seen.FIELDS, [_told(row) for row in rows], _columns(rows), empty="No requests.")
    render(table, out, zone=zone, now=now)
    if any(row["state"] == "open" for row in rows):
        hint(
            "Answer with `liveportal requests accept ID` (--best takes the best slot of a scheduled"
            " one); `liveportal requests show ID` says more."
        )


@with_options(LedgerOption, ReadOptions, OutputOptions)
def show(request: One, ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show everything about one request: slots ranked, conflicts, customer, what happened to it.

    Each slot has its place among them, what speaks for it and against it, and what it would earn.

    Examples:
      liveportal requests show REQ-1001
      liveportal requests show REQ-1002 --json --field slots
    """
    with open_reader(ledger, read, out) as reader:
        now = reference_time(reader)
        row = seen.request(reader, reader.resolve_id("request", request), now)
        zone = display_zone(reader, read)
    told = row | {"slots": in_words(row["slots"]), "history": history_in_words(row["history"])}  # type: ignore[arg-type]
    render(Detail(seen.SHOW_FIELDS, told, SHOWN), out, zone=zone, now=now)
    if row["state"] == "open":
        how = " --best" if row["slots"] else ""
        hint(f"Accept it with `liveportal requests accept {row['id']}{how}`.")


def _amount(text: str, reader: Reader) -> Money:
    number, _, named = text.strip().partition(" ")
    return Money.parse(number, reader.currency_called(named.strip().upper() or reader.currency))


def _since(text: str | None, zone: str) -> dict[str, Any]:
    """Read when requests were opened, or after which position of the journal."""
    if text is None:
        return {}
    if _POSITION.fullmatch(text.strip()):
        return {"after_seq": int(text)}
    return {"since": read_time(text, zone, utc_now(), past=True, date_only=True)}


def _columns(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the columns of a list, without those that say nothing, or the same of all."""
    silent = {
        name
        for name in ("age_seconds", "conflicts")
        if all(row[name] in (None, []) for row in rows)
    }
    if all(row["state"] == "open" for row in rows):
        silent.add("state")
    return tuple(name for name in HUMAN if name not in silent)


def _told(row: dict[str, Any]) -> Row:
    """Return an open request with, to a person, more in a cell than its value."""
    if row["state"] != "open":
        return row
    customer, below = row["customer"], row["above_minimum"] is False
    rated = f", {row['customer_rating']} of 5" if row["customer_rating"] is not None else ""
    helped = f"helped {row['helped']}x{rated}" if row["helped"] else ""
    skills = ", ".join(row["matched_skills"])
    if not row["matches"] and not below:
        skills = "not your skills"
    name = customer["name"] if customer["name"] is not None else customer["id"]
    more = {
        "customer": customer | {"name": _with(customer["name"], name, helped)},
        "title": _with(row["title"], row["title"] or "", skills),
        "rate": _with(row["rate"], str(row["rate"]), f"min {row['minimum']}" if below else ""),
    }
    if row["left_seconds"] is not None:
        more["age_seconds"] = HumanValue(row["age_seconds"], _ages(row))
    return row | more


def _with(value: object, words: str, more: str) -> HumanValue:
    said = f"{words} ({more})" if more else words
    return HumanValue(value, lambda _now, _local: [said])


def _ages(row: dict[str, Any]) -> Callable[[datetime, tzinfo | None], list[str]]:
    def lines(_now: datetime, _local: tzinfo | None) -> list[str]:
        from liveportal.cli.io.rich_output import length  # rich: only a terminal asks for words.

        return [f"{length(row['age_seconds'])}, {length(row['left_seconds'])} left"]

    return lines
