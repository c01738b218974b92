"""Shared code of the commands that record: one event per id, one result row per event."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.io.errors import exit_code_for
from liveportal.cli.io.hints import overridden_by
from liveportal.cli.io.prompts import STDIN, can_ask, confirm, read_ids
from liveportal.cli.io.render import check_output_possible, use_ledger
from liveportal.cli.io.view_model import Fields, Row, all_fields, leading_fields, shows_result
from liveportal.cli.options import DerivedCommand, LedgerOption, OutputOptions, WriteOptions
from liveportal.cli.write_result import (
    Answer,
    Recorded,
    Result,
    answers_person,
    show_result,
    show_results,
)
from liveportal.domain.clock import from_text, to_second
from liveportal.domain.errors import LiveportalError
from liveportal.domain.frozen import frozen, replace
from liveportal.domain.money import Money
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    # Imported late: a read in the same module as a write does not need the journal's rules.
    from liveportal.domain.events.envelope import EventData
    from liveportal.ledger.journal.journal import Outcome
    from liveportal.portal import Portal


Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="The reason.")]


@frozen
class WriteStep:
    """The event that a command records for each id.

    `data` builds the event for an id of an entity of this `kind`; `allow` holds the cautions that
    options override; `question` is asked first. `assumed` names the fields of the data that were
    assumed rather than given (`Portal.event`). `resolve` returns the id that an argument names, if
    not only an id of this kind does.
    """

    kind: str
    data: Callable[[Writer, str], EventData]
    allow: frozenset[str] = frozenset()
    question: Callable[[Reader, str], str] | None = None
    assumed: tuple[str, ...] = ()
    resolve: Callable[[Reader, str], str] | None = None


def overrides(**options: bool) -> frozenset[str]:
    """Return the codes that the given options override: `overlap=True` is `--overlap`."""
    given = (f"--{name}" for name, is_given in options.items() if is_given)
    return frozenset[str]().union(*map(overridden_by, given))


class Writer:
    """A ledger that is open for the writes of one command."""

    def __init__(self, portal: Portal, write: WriteOptions, *, for_person: bool = False) -> None:
        self.portal = portal
        self._for_person = for_person
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
        return self.reader.parse_amount(text)

    def amount_if_given(self, text: str | None) -> Money | None:
        """Parse an amount as `amount` does; None without one."""
        return None if text is None else self.amount(text)

    @property
    def is_keyed(self) -> bool:
        """Whether `--key` was given, so that the command may be a replay."""
        return bool(self._write.key)

    @property
    def allowed(self) -> frozenset[str]:
        """The codes of the cautions that `--anyway` overrides, if it was given."""
        return overrides(anyway=self._write.anyway)

    def ask(self, question: str) -> None:
        """Ask for confirmation, except with `--yes` or in a dry run."""
        confirm(question, yes=self._write.yes, dry_run=self._write.dry_run)

    def ask_about(self, step: WriteStep, entity_id: str) -> None:
        """Ask the question of a step as `ask` does; a step that would be refused raises first."""
        if step.question is None:
            return
        write = self._write
        if can_ask() and not (write.yes or write.dry_run or write.key):  # A key: perhaps a replay.
            from liveportal.portal import Portal

            with Portal(self.reader.path, dry_run=True, now=utc_now) as trial:
                trial.execute(
                    step.data(self, entity_id),
                    at=self.at,
                    assumed=step.assumed,
                    allow=step.allow | self.allowed,
                )
        self.ask(step.question(self.reader, entity_id))

    def record(
        self,
        data: EventData,
        entity_id: str,
        *,
        many: bool = False,
        answer: Answer,
        allow: frozenset[str] = frozenset(),
        assumed: Collection[str] = (),
    ) -> Result:
        """Record one event and return its result row: the outcome, and the entity afterwards.

        `--key` is the event's id; with `many` ids each event gets `KEY:ID`.
        """
        key, facts, details = self._write.key, None, dict[str, object]()

        def read_details(reader: Reader, outcome: Outcome) -> None:
            nonlocal facts
            name = recorded_id(outcome, entity_id)
            if answer.facts and self._for_person:
                facts = answer.facts(reader, name, outcome.event.time)
            if answer.read_back:
                details.update(answer.read_back(reader, name))

        outcome = self.portal.execute(
            data,
            at=self.at,
            key=f"{key}:{entity_id}" if key and many else key,
            assumed=assumed,
            allow=allow | self.allowed,
            read_back=read_details,
        )
        return self.result(outcome, entity_id, details, facts)

    def result(
        self, outcome: Outcome, entity_id: str, details: Row, facts: object = None
    ) -> Result:
        """Return the result row of a recorded event; `details` are the fields of the entity."""
        from liveportal.domain.handlers.dispatch import STATE_AFTER

        kind = outcome.event.data.TYPE
        row = Result(
            {
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
        )
        row.recorded = Recorded(
            row, outcome.event.data, facts, outcome.event.time, self.zone, self._now
        )
        return row

    def unrecorded(self, row: Row) -> Result:
        """Return the result row of a change that was not recorded as one event, if at all."""
        result = Result(row)
        result.recorded = Recorded(row, None, None, self._now, self.zone, self._now)
        return result

    def _confirmation_message(self, outcome: Outcome, entity_id: str) -> str | None:
        """Return a sentence if the event only confirms another one, and adds nothing; else None."""
        if outcome.status == "recorded":
            return None
        first = self.reader.one(_CONFIRMED, outcome.seq)
        if first is None or first["adds"]:
            return None
        kind = outcome.event.data.TYPE.partition(".")[0]
        thing = outcome.event.data.entity.partition(":")[0]
        reported = "this" if kind == thing else f"this {kind}"
        from liveportal.domain.events.envelope import CLI_SOURCE

        by = "you" if first["source"] == CLI_SOURCE else first["source"]
        return (
            f"Nothing new was recorded: {by} already reported {reported} for"
            f" {thing} {entity_id}, at {to_second(from_text(first['time']))}."
            f"{_AGAIN_HINTS.get(kind, '')}"
        )


_CONFIRMED = """
    SELECT first.source, first.time,
           EXISTS (SELECT 1 FROM "transaction" WHERE seq = statement.seq) AS adds
    FROM statement
    JOIN event AS first ON first.seq = statement.confirms WHERE statement.seq = ?
"""
_AGAIN_HINTS = {"tip": " To record another one, add --again."}


@contextmanager
def open_writer(
    ledger: LedgerOption, write: WriteOptions, out: OutputOptions, fields: Fields = ()
) -> Iterator[Writer]:
    """Open the ledger for writing, after checking that the result can be written.

    `fields` are the command's own, in addition to those that every result has.
    """
    check_output_possible(all_fields(fields), out, spared=ledger.files)
    with open_portal(ledger, dry_run=write.dry_run) as portal:
        yield Writer(portal, write, for_person=answers_person(out))


@contextmanager
def open_portal(ledger: LedgerOption, *, dry_run: bool = False) -> Iterator[Portal]:
    """Open the ledger with the clock of the command, for its queries and writes.

    Raises `VerificationFailed` instead of an unexpected error if the ledger is damaged.
    """
    from liveportal.ledger.damage import diagnosing_damage
    from liveportal.portal import Portal

    use_ledger(ledger.path)
    with (
        Portal(ledger.path, dry_run=dry_run, now=utc_now) as portal,
        diagnosing_damage(portal.reader().db),
    ):
        yield portal


def records(
    ids: object, answer: Answer, *, many: bool = False
) -> Callable[[Callable[..., WriteStep]], DerivedCommand]:
    """Make a command of a function that takes its own options and returns the step to record.

    `ids` annotates the argument, which names one thing or many; `answer` declares the rows. With
    `many`, several ids give a row each (`shows_result`). The options of all writes are added.
    """

    def decorate(step: Callable[..., WriteStep]) -> DerivedCommand:
        def run(
            *,
            ids: str | list[str],
            ledger: LedgerOption,
            write: WriteOptions,
            out: OutputOptions,
            **own: Any,  # noqa: ANN401 -- The options of the function.
        ) -> None:
            given = [ids] if isinstance(ids, str) else ids
            run_step(given, step(**own), answer, ledger, write, out)

        groups = {"ledger": LedgerOption, "write": WriteOptions, "out": OutputOptions}
        rows = (answer.fields,) if isinstance(answer.fields, type) else ()
        return shows_result(*rows, many=many)(DerivedCommand(step, run, {"ids": ids}, **groups))

    return decorate


def run_step(
    given: Sequence[str] | Callable[[Writer], Sequence[str]],
    step: WriteStep,
    answer: Answer,
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
    if not callable(given) and len(given) == 1 and STDIN not in given:
        record = partial(_run_one, given[0], step, answer)
        run_write(record, answer, ledger, write, out)
        return
    fields = answer.fields
    with open_writer(ledger, write, out, fields) as writer:
        zone = writer.zone
        texts = given(writer) if callable(given) else list(read_ids(given))
        results = [
            run_catching(
                partial(_run_one, text, step, answer, writer, many=True), fields, write, id=text
            )
            for text in texts
        ]
    show_results(results, answer, leading_fields(fields), out, zone=zone, empty=empty)


def run_new(
    prefix: str,
    given: str | None,
    step: WriteStep,
    answer: Answer,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
) -> None:
    """Record the step that creates an entity, under the given id or a generated one."""
    from liveportal.services.defaults import new_id

    entity_id = f"{prefix}-{new_id()}" if given is None else given
    named = step if given is not None else replace(step, assumed=(*step.assumed, step.kind))
    run_write(partial(_record, entity_id, named, answer), answer, ledger, write, out)


def run_write(
    record: Callable[[Writer], Row],
    answer: Answer,
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
) -> Row:
    """Record one thing, and show its result row; also returns the row."""
    with open_writer(ledger, write, out, answer.fields) as writer:
        row, zone = record(writer), writer.zone
    show_result(row, answer, out, zone=zone, ledger=ledger.typed)
    return row


def _run_one(
    text: str, step: WriteStep, answer: Answer, writer: Writer, *, many: bool = False
) -> Row:
    """Record the step for one id and return its result row; raises what the rules raise."""
    if step.resolve:
        entity_id = step.resolve(writer.reader, text)
    else:
        entity_id = writer.portal.resolve_id(step.kind, text)
    writer.ask_about(step, entity_id)
    return _record(entity_id, step, answer, writer, many=many)


def _record(
    entity_id: str, step: WriteStep, answer: Answer, writer: Writer, *, many: bool = False
) -> Row:
    return writer.record(
        step.data(writer, entity_id),
        entity_id,
        many=many,
        answer=answer,
        allow=step.allow,
        assumed=step.assumed,
    )


def run_catching(
    record: Callable[[], Row], fields: Fields, write: WriteOptions, **known: object
) -> tuple[Row, int]:
    """Record one of many; return its row, and its exit code (0: no failure).

    The row of a failure has the error and the `known` fields.
    """
    try:
        return record(), 0
    except LiveportalError as error:
        row: dict[str, object] = dict.fromkeys(all_fields(fields))
        failed = row | {
            "state": error.details.get("state"),
            "error": error.code,
            "message": error.message,
            "dry_run": write.dry_run,
        }
        return failed | known, exit_code_for(error)


def recorded_id(outcome: Outcome, entity_id: str) -> str:
    """Return the recorded id of the entity: a replay has the id that was generated first."""
    data = outcome.event.data
    recorded = getattr(data, data.ENTITY, None)
    return recorded if isinstance(recorded, str) else entity_id
