"""What the commands that record something have in common: one event an id, one result a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from liveportal.cli.confirm import STDIN, confirm, read_ids
from liveportal.cli.errors import exit_code_for
from liveportal.cli.options import LedgerOption, OutputOptions, WriteOptions
from liveportal.cli.render import Item, Row, Table, render
from liveportal.cli.times import utc_now
from liveportal.domain.errors import Caution, LiveportalError, Refused
from liveportal.domain.events import Data
from liveportal.domain.money import Money
from liveportal.domain.rules import STATE_AFTER
from liveportal.ledger.reader import Reader
from liveportal.portal import Outcome, Portal

BEFORE = ("id", "state", "error", "message")
AFTER = ("time", "event", "flags", "replayed", "dry_run")

Show = Callable[[Reader, str], Row]

Anyway = Annotated[
    bool, typer.Option("--anyway", help="Record it although something speaks against it.")
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")]


@dataclass(frozen=True)
class Step:
    """A step that a command records for each id.

    `data` makes the event of an id; `fields` and `show` say what of the thing is shown once it is
    done; `insist` are the overriding options that were given; `question` is asked first.
    """

    kind: str
    data: Callable[[str], Data]
    fields: tuple[str, ...] = ()
    show: Show | None = None
    insist: frozenset[str] = frozenset()
    question: Callable[[Reader, str], str] | None = None


def insisting(**options: bool) -> frozenset[str]:
    """Return the options that were given, as cautions name them: `overlap=True` is `--overlap`."""
    return frozenset(f"--{name}" for name, given in options.items() if given)


def act(
    given: Sequence[str],
    step: Step,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
) -> None:
    """Record a step for one id, or for each of many.

    Many ids (also those read from standard input, for `-`) give a line each, failures included, and
    the work goes on; the exit code is then the first failure's. One id fails as commands do.
    """
    many = len(given) > 1 or STDIN in given
    fields = (*BEFORE, *step.fields, *AFTER)
    with Portal.open(ledger.path, dry_run=write.dry_run) as portal:
        zone = portal.reader().own_timezone
        if many:
            rows, code = _act_on_many(portal, read_ids(given), step, write)
        else:
            rows, code = [_acted(portal, given[0], step, write, key=write.key)], 0
    result = Table(fields, rows, empty="No ids were given.") if many else Item(fields, rows[0])
    render(result, out, zone=zone)
    if code:
        raise typer.Exit(code)


def _act_on_many(
    portal: Portal, ids: Iterable[str], step: Step, write: WriteOptions
) -> tuple[list[Row], int]:
    rows: list[Row] = []
    code = 0
    for text in list(ids):
        key = f"{write.key}:{text}" if write.key else None
        try:
            rows.append(_acted(portal, text, step, write, key=key))
        except LiveportalError as error:
            code = code or exit_code_for(error)
            rows.append(_failed(text, error, step, write))
    return rows, code


def _acted(portal: Portal, text: str, step: Step, write: WriteOptions, *, key: str | None) -> Row:
    thing_id = portal.known(step.kind, text)
    if step.question:
        confirm(step.question(portal.reader(), thing_id), yes=write.yes, dry_run=write.dry_run)
    return recorded(
        portal,
        step.data(thing_id),
        thing_id,
        write,
        key=key,
        show=step.show,
        insist=step.insist,
    )


def recorded(
    portal: Portal,
    data: Data,
    thing_id: str,
    write: WriteOptions,
    *,
    key: str | None = None,
    show: Show | None = None,
    insist: frozenset[str] = frozenset(),
    assumed: Iterable[str] = (),
) -> Row:
    """Record one event and return its result: what it did, and what the thing is now."""
    outcome, shown = portal.do(
        data,
        at=happened_at(portal, write),
        key=key,
        assumed=assumed,
        insist=lambda caution: _insists(caution, insist),
        show=lambda reader, outcome: dict(show(reader, named(outcome, thing_id))) if show else {},
    )
    return {**_outcome_row(outcome, named(outcome, thing_id), write), **shown}


def named(outcome: Outcome, thing_id: str) -> str:
    """Return the id of the thing: as recorded, for a replay has the id that was made up first."""
    data = outcome.event.data
    found = getattr(data, data.THING, None)
    return found if isinstance(found, str) else thing_id


def one_row(
    row: Row, fields: tuple[str, ...], out: OutputOptions, *, zone: str | None = None
) -> None:
    """Show the result of a single write."""
    render(Item((*BEFORE, *fields, *AFTER), row), out, zone=zone)


def happened_at(portal: Portal, write: WriteOptions) -> datetime | None:
    """Return when it happened, as `--at` says, read in the expert's zone; None for now."""
    if write.at is None:
        return None
    return write.happened_at(portal.reader().own_timezone, utc_now())


def amount(text: str, currency: str) -> Money:
    """Read an amount as people type it: `84`, `84.00`, `84.00 USD`; raises `InvalidAmount`."""
    number, _, named = text.strip().partition(" ")
    return Money.parse(number, named.strip().upper() or currency)


def _insists(caution: Refused, given: frozenset[str]) -> bool:
    return isinstance(caution, Caution) and caution.override in given


def _outcome_row(outcome: Outcome, thing_id: str, write: WriteOptions) -> dict[str, object]:
    kind = outcome.event.data.TYPE
    return {
        "id": thing_id,
        "state": STATE_AFTER.get(kind, kind.split(".")[1]),
        "error": None,
        "message": None,
        "time": outcome.event.time,
        "event": outcome.event.id,
        "flags": list(outcome.flags),
        "replayed": outcome.status == "replayed",
        "dry_run": write.dry_run,
    }


def _failed(text: str, error: LiveportalError, step: Step, write: WriteOptions) -> Row:
    row: dict[str, object] = dict.fromkeys((*BEFORE, *step.fields, *AFTER))
    return row | {
        "id": text,
        "state": error.details.get("state"),
        "error": error.code,
        "message": error.message,
        "dry_run": write.dry_run,
    }
