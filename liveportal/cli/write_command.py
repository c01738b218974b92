"""What the commands that record something have in common: one event an id, one result a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.io.errors import exit_code_for
from liveportal.cli.io.prompts import STDIN, confirm, read_ids
from liveportal.cli.io.render import check_output_possible, render
from liveportal.cli.io.view_model import Detail, Row, Table, value_of
from liveportal.cli.options import LedgerOption, OutputOptions, WriteOptions
from liveportal.cli.parse.times import utc_now
from liveportal.domain.clock import from_text, short_text
from liveportal.domain.errors import Caution, LiveportalError
from liveportal.domain.money import Money
from liveportal.domain.values import dataclass
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    # The door and all its rules: a read in the same module as a write has no use for them.
    from liveportal.domain.events.envelope import EventData
    from liveportal.portal import Outcome, Portal

BEFORE = ("id", "state", "error", "message")
AFTER = ("time", "event", "flags", "replayed", "confirmed", "dry_run")
LATER = ("slot", "reason")
"""Fields of steps that came later: they stand at the end, since rows only ever grow there."""

Show = Callable[[Reader, str], Row]

Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")]


@dataclass(frozen=True)
class WriteStep:
    """A step that a command records for each id.

    `data` makes the event for an id; `fields` and `read_back` say what of the entity is shown
    afterwards; `allow` holds the overriding options that were given; `question` is asked first.
    `assumed` names the fields of the data that were not given but assumed (see `Portal.event`).
    """

    kind: str
    data: Callable[[Writer, str], EventData]
    fields: tuple[str, ...] = ()
    read_back: Show | None = None
    allow: frozenset[str] = frozenset()
    question: Callable[[Reader, str], str] | None = None
    assumed: tuple[str, ...] = ()


def overrides(**options: bool) -> frozenset[str]:
    """Return the options that were given, as cautions name them: `overlap=True` is `--overlap`."""
    return frozenset(f"--{name}" for name, given in options.items() if given)


class Writer:
    """A ledger that is open for one command's writes."""

    def __init__(self, portal: Portal, write: WriteOptions) -> None:
        self.portal = portal
        self._write = write
        self._now = utc_now()

    @property
    def reader(self) -> Reader:
        """The windows on what is recorded so far."""
        return self.portal.reader()

    @cached_property
    def zone(self) -> str:
        """The zone in which typed times are read: `--timezone`, or else the expert's own."""
        return self._write.timezone or self.reader.own_timezone

    @cached_property
    def at(self) -> datetime | None:
        """When it happened, as `--at` says; None for now."""
        return self._write.happened_at(self.zone, self._now)

    def amount(self, text: str) -> Money:
        """Read an amount as people type it: `84`, `84.00`, `84.00 USD`; raises `InvalidAmount`."""
        number, _, named = text.strip().partition(" ")
        code = named.strip().upper() or self.reader.currency
        return Money.parse(number, self.reader.currency_called(code))

    def insists(self, caution: Caution) -> bool:
        """Return True if `--anyway` lets a caution through."""
        return self._write.anyway and caution.override == "--anyway"

    def ask(self, question: str) -> None:
        """Ask for a confirmation, unless `--yes` gives it or nothing will be kept."""
        confirm(question, yes=self._write.yes, dry_run=self._write.dry_run)

    def record(
        self,
        data: EventData,
        thing_id: str,
        *,
        many: bool = False,
        read_back: Show | None = None,
        allow: frozenset[str] = frozenset(),
        assumed: Iterable[str] = (),
    ) -> Row:
        """Record one event and return its result: what it did, and what the thing is now.

        `--key` names the event, and one of `many` together with the thing: `KEY:ID`.
        """
        key = self._write.key
        outcome, shown = self.portal.execute(
            data,
            at=self.at,
            key=f"{key}:{thing_id}" if key and many else key,
            assumed=assumed,
            allow=lambda caution: caution.override in allow or self.insists(caution),
            read_back=lambda reader, done: (
                dict(read_back(reader, recorded_id(done, thing_id))) if read_back else {}
            ),
        )
        return self.result(outcome, thing_id, shown)

    def result(self, outcome: Outcome, thing_id: str, shown: Row) -> Row:
        """Return what became of an event as the commands that record something show it."""
        from liveportal.domain.handlers.dispatch import STATE_AFTER

        kind = outcome.event.data.TYPE
        return {
            "id": recorded_id(outcome, thing_id),
            "state": STATE_AFTER.get(kind, kind.split(".")[1]),
            "error": None,
            "message": self._already_reported(outcome, thing_id),
            **shown,
            "time": outcome.event.time,
            "event": outcome.event.id,
            "flags": list(outcome.flags),
            "replayed": outcome.status == "replayed",
            "confirmed": outcome.status == "confirmed",
            "dry_run": self._write.dry_run,
        }

    def _already_reported(self, outcome: Outcome, thing_id: str) -> str | None:
        """Return a sentence if the event only confirms one of another source; None otherwise."""
        if outcome.status == "recorded":
            return None
        first = self.reader.one(_CONFIRMED, outcome.seq)
        if first is None:
            return None
        kind = outcome.event.data.TYPE.partition(".")[0]
        return (
            f"Nothing was recorded twice: {first['source']} reported this {kind} of {thing_id}"
            f" already, at {short_text(from_text(first['time']))}.{_ONE_MORE.get(kind, '')}"
        )


_CONFIRMED = """
    SELECT first.source, first.time FROM statement
    JOIN event AS first ON first.seq = statement.confirms WHERE statement.seq = ?
"""
_ONE_MORE = {"tip": " If it is one more, give --again."}


@contextmanager
def writing(
    ledger: LedgerOption, write: WriteOptions, out: OutputOptions, fields: tuple[str, ...] = ()
) -> Iterator[Writer]:
    """Open the ledger for writing, once it is sure that the result can be shown.

    `fields` are the result's own, between those that every result has.
    """
    from liveportal.portal import Portal

    check_output_possible(all_fields(fields), out, spared=ledger.files)
    with Portal.open(ledger.path, dry_run=write.dry_run) as portal:
        yield Writer(portal, write)


def run_step(
    given: Sequence[str] | Callable[[Writer], Sequence[str]],
    step: WriteStep,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    *,
    empty: str = "No ids were given.",
) -> None:
    """Record a step for one id, or for each of many.

    Many ids (also those read from standard input, for `-`) give a line each, failures included, and
    the work goes on; the exit code is then the first failure's. One id fails as commands do.
    `given` may also be what finds the ids in the ledger: those are many, however many they are.
    """
    many = callable(given) or len(given) > 1 or STDIN in given
    with writing(ledger, write, out, step.fields) as writer:
        zone = writer.zone
        if callable(given):
            done = [run_catching(writer, name, step, write) for name in given(writer)]
        elif many:
            done = [run_catching(writer, text, step, write) for text in list(read_ids(given))]
        else:
            done = [(run_one(writer, given[0], step), 0)]
    rows = [row for row, _ in done]
    if not many:
        show_result(rows[0], step.fields, out, zone=zone)
        return
    human = ("id", "state", *step.fields[:4], "message")
    table = Table(all_fields(step.fields), rows, human, empty=empty)
    render(table, out, zone=zone)
    if code := next((code for _, code in done if code), 0):
        raise typer.Exit(code)


def show_result(
    row: Row, fields: tuple[str, ...], out: OutputOptions, *, zone: str | None = None
) -> None:
    """Show the result of a single write; to a person, only what says something."""
    said = all_fields(fields)
    telling = tuple(name for name in said if value_of(row, name) not in (None, False, [], ""))
    render(Detail(said, row, telling), out, zone=zone)


def run_one(writer: Writer, text: str, step: WriteStep, *, many: bool = False) -> Row:
    """Record the step for one id; return the row of its result. Raises what the rules raise."""
    thing_id = writer.portal.resolve_id(step.kind, text)
    if step.question:
        writer.ask(step.question(writer.reader, thing_id))
    data = step.data(writer, thing_id)
    return writer.record(
        data, thing_id, many=many, read_back=step.read_back, allow=step.allow, assumed=step.assumed
    )


def run_catching(
    writer: Writer, text: str, step: WriteStep, write: WriteOptions
) -> tuple[Row, int]:
    """Act on one of many; return its line of result, and the exit code of its failure or 0."""
    try:
        return run_one(writer, text, step, many=True), 0
    except LiveportalError as error:
        row: dict[str, object] = dict.fromkeys(all_fields(step.fields))
        failed = row | {
            "id": text,
            "state": error.details.get("state"),
            "error": error.code,
            "message": error.message,
            "dry_run": write.dry_run,
        }
        return failed, exit_code_for(error)


def all_fields(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return all fields of a write's result: its own among those that every result has."""
    own = (name for name in fields if name not in BEFORE + LATER)
    return (*BEFORE, *own, *AFTER, *(name for name in LATER if name in fields))


def new_name(prefix: str, given: str | None) -> str:
    """Return the id that was given, or make one up."""
    from liveportal.portal import new_id

    return f"{prefix}-{new_id()}" if given is None else given


def recorded_id(outcome: Outcome, thing_id: str) -> str:
    """Return the id of the thing: as recorded, for a replay has the id that was made up first."""
    data = outcome.event.data
    found = getattr(data, data.THING, None)
    return found if isinstance(found, str) else thing_id
