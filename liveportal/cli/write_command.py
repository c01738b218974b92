"""Shared code of the commands that record: one event per id, one result row per event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.io.errors import exit_code_for
from liveportal.cli.io.hints import override_of
from liveportal.cli.io.prompts import STDIN, confirm, read_ids
from liveportal.cli.io.render import check_output_possible, for_person, render, use_ledger
from liveportal.cli.io.view_model import Detail, Fields, Row, Table, names_of
from liveportal.cli.options import LedgerOption, OutputOptions, WriteOptions
from liveportal.domain.clock import from_text, short_text
from liveportal.domain.errors import Caution, LiveportalError
from liveportal.domain.frozen import frozen
from liveportal.domain.money import Money
from liveportal.domain.row import Row as TypedRow
from liveportal.domain.row import columns, row
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    # Imported late: a read in the same module as a write does not need the journal's rules.
    from liveportal.domain.events.envelope import EventData
    from liveportal.portal import Outcome, Portal


@row
class WriteResult(TypedRow):
    """What every write says: what became of which thing, and of the event that was recorded.

    A command's own fields stand between the message and the time.
    """

    id: str
    state: str
    error: None
    message: str | None
    time: datetime | None
    event: str | None
    flags: list[str]
    replayed: bool
    confirmed: bool
    dry_run: bool


LEADING_FIELDS, TRAILING_FIELDS = columns(WriteResult)[:4], columns(WriteResult)[4:]
ADDED_FIELDS = ("slot", "reason")
"""Fields of steps that were added later: they come last, since rows only grow at the end."""

ReadBack = Callable[[Reader, str], Row]

Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")]


@frozen
class WriteStep:
    """The event that a command records for each id.

    `data` builds the event for an id; `read_back` reads the entity afterwards, and `fields` are the
    ones shown; `allow` holds the overriding options that were given; `question` is asked first.
    `assumed` names the fields of the data that were assumed rather than given (`Portal.event`).
    """

    kind: str
    data: Callable[[Writer, str], EventData]
    fields: Fields = ()
    read_back: ReadBack | None = None
    allow: frozenset[str] = frozenset()
    question: Callable[[Reader, str], str] | None = None
    assumed: tuple[str, ...] = ()


def overrides(**options: bool) -> frozenset[str]:
    """Return the given options as cautions name them: `overlap=True` is `--overlap`."""
    return frozenset(f"--{name}" for name, given in options.items() if given)


class Writer:
    """A ledger that is open for the writes of one command."""

    def __init__(self, portal: Portal, write: WriteOptions) -> None:
        self.portal = portal
        self._write = write
        self._now = utc_now()

    @property
    def reader(self) -> Reader:
        """The queries over what has been recorded so far."""
        return self.portal.reader()

    @cached_property
    def zone(self) -> str:
        """The zone of typed times: `--timezone`, or else the expert's own."""
        return self._write.timezone or self.reader.own_timezone

    @cached_property
    def at(self) -> datetime | None:
        """The instant of `--at`, in UTC; None for now."""
        return self._write.happened_at(self.zone, self._now)

    def amount(self, text: str) -> Money:
        """Parse an amount such as `84`, `84.00` or `84.00 USD`; raises `InvalidAmount`."""
        number, _, currency = text.strip().partition(" ")
        code = currency.strip().upper() or self.reader.currency
        return Money.parse(number, self.reader.currency_called(code))

    def allows(self, caution: Caution) -> bool:
        """Return True if `--anyway` was given and overrides the caution."""
        return self._write.anyway and override_of(caution) == "--anyway"

    def ask(self, question: str) -> None:
        """Ask for confirmation, except with `--yes` or in a dry run."""
        confirm(question, yes=self._write.yes, dry_run=self._write.dry_run)

    def record(
        self,
        data: EventData,
        entity_id: str,
        *,
        many: bool = False,
        read_back: ReadBack | None = None,
        allow: frozenset[str] = frozenset(),
        assumed: Iterable[str] = (),
    ) -> Row:
        """Record one event and return its result row: the outcome, and the entity afterwards.

        `--key` is the event's id; with `many` ids each event gets `KEY:ID`.
        """
        key = self._write.key
        outcome, details = self.portal.execute(
            data,
            at=self.at,
            key=f"{key}:{entity_id}" if key and many else key,
            assumed=assumed,
            allow=lambda caution: override_of(caution) in allow or self.allows(caution),
            read_back=lambda reader, outcome: (
                dict(read_back(reader, recorded_id(outcome, entity_id))) if read_back else {}
            ),
        )
        return self.result(outcome, entity_id, details)

    def result(self, outcome: Outcome, entity_id: str, details: Row) -> Row:
        """Return the result row of a recorded event; `details` are the fields of the entity."""
        from liveportal.domain.handlers.dispatch import STATE_AFTER

        kind = outcome.event.data.TYPE
        return {
            "id": recorded_id(outcome, entity_id),
            "state": STATE_AFTER.get(kind, kind.split(".")[1]),
            "error": None,
            "message": self._confirmation_message(outcome, entity_id),
            **details,
            "time": outcome.event.time,
            "event": outcome.event.id,
            "flags": list(outcome.flags),
            "replayed": outcome.status == "replayed",
            "confirmed": outcome.status == "confirmed",
            "dry_run": self._write.dry_run,
        }

    def _confirmation_message(self, outcome: Outcome, entity_id: str) -> str | None:
        """Return a sentence if the event only confirms one from another source; else None."""
        if outcome.status == "recorded":
            return None
        first = self.reader.one(_CONFIRMED, outcome.seq)
        if first is None:
            return None
        kind = outcome.event.data.TYPE.partition(".")[0]
        return (
            f"Nothing was recorded twice: {first['source']} reported this {kind} of {entity_id}"
            f" already, at {short_text(from_text(first['time']))}.{_AGAIN_HINTS.get(kind, '')}"
        )


_CONFIRMED = """
    SELECT first.source, first.time FROM statement
    JOIN event AS first ON first.seq = statement.confirms WHERE statement.seq = ?
"""
_AGAIN_HINTS = {"tip": " If it is one more, give --again."}


@contextmanager
def open_writer(
    ledger: LedgerOption, write: WriteOptions, out: OutputOptions, fields: Fields = ()
) -> Iterator[Writer]:
    """Open the ledger for writing, after checking that the result can be written.

    `fields` are the command's own, in addition to those that every result has.
    """
    from liveportal.portal import Portal

    check_output_possible(all_fields(fields), out, spared=ledger.files)
    use_ledger(ledger.path)
    with Portal.open(ledger.path, dry_run=write.dry_run, now=utc_now) as portal:
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
    """Record a step for one id or for each of many.

    Many ids (`-` reads them from standard input) give one row each. A failure is a row, too, and
    does not stop the others; the exit code is that of the first failure. The failure of a single
    id ends the command. `given` may be a function that finds the ids in the ledger; its ids count
    as many, even if there is only one.
    """
    many = callable(given) or len(given) > 1 or STDIN in given
    with open_writer(ledger, write, out, step.fields) as writer:
        zone = writer.zone
        if callable(given):
            results = [run_catching(writer, name, step, write) for name in given(writer)]
        elif many:
            results = [run_catching(writer, text, step, write) for text in list(read_ids(given))]
        else:
            results = [(run_one(writer, given[0], step), 0)]
    rows = [row for row, _ in results]
    if not many:
        show_result(rows[0], step.fields, out, zone=zone)
        return
    names = all_fields(step.fields)
    table = Table(names, rows, leading_columns(names), empty=empty)
    render(table, out, zone=zone)
    if code := next((code for _, code in results if code), 0):
        raise typer.Exit(code)


def show_result(row: Row, fields: Fields, out: OutputOptions, *, zone: str | None = None) -> None:
    """Show the result of a single write; a terminal leaves out the empty fields."""
    names = all_fields(fields)
    human = names if for_person(out) else leading_columns(names)
    render(Detail(names, row, human, sparse=True), out, zone=zone)


def run_one(writer: Writer, text: str, step: WriteStep, *, many: bool = False) -> Row:
    """Record the step for one id and return its result row; raises what the rules raise."""
    entity_id = writer.portal.resolve_id(step.kind, text)
    if step.question:
        writer.ask(step.question(writer.reader, entity_id))
    data = step.data(writer, entity_id)
    return writer.record(
        data, entity_id, many=many, read_back=step.read_back, allow=step.allow, assumed=step.assumed
    )


def run_catching(
    writer: Writer, text: str, step: WriteStep, write: WriteOptions
) -> tuple[Row, int]:
    """Record the step for one of many ids; return its row, and its exit code (0: no failure)."""
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


def all_fields(fields: Fields) -> tuple[str, ...]:
    """Return all fields of a write's result: the common ones and the command's own."""
    names = names_of(fields)
    own = (name for name in names if name not in LEADING_FIELDS + ADDED_FIELDS)
    return (
        *LEADING_FIELDS,
        *own,
        *TRAILING_FIELDS,
        *(name for name in ADDED_FIELDS if name in names),
    )


def leading_columns(names: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of a write's rows: all fields but those about the event itself."""
    return tuple(name for name in names if name not in TRAILING_FIELDS)


def new_or_given_id(prefix: str, given: str | None) -> str:
    """Return the id that was given, or generate one."""
    from liveportal.portal import new_id

    return f"{prefix}-{new_id()}" if given is None else given


def recorded_id(outcome: Outcome, entity_id: str) -> str:
    """Return the recorded id of the entity: a replay has the id that was generated first."""
    data = outcome.event.data
    recorded = getattr(data, data.ENTITY, None)
    return recorded if isinstance(recorded, str) else entity_id
