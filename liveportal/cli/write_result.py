"""The answer to a write: the row of its result or, on a terminal, sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import typer

from liveportal.cli.io.answers import Sentence, ended, several, write_answer
from liveportal.cli.io.flags import flag_text
from liveportal.cli.io.render import for_person, render
from liveportal.cli.io.view_model import Detail, Fields, Row, Table, all_fields, leading_fields
from liveportal.cli.options import LedgerOption, OutputOptions
from liveportal.domain.frozen import frozen
from liveportal.ledger.queries.reader import Reader

ReadBack = Callable[[Reader, str], Row]


@frozen
class Recorded:
    """What a sentence is made of: the event, its result row, and the facts that a query read.

    `zone` is the expert's, `now` the time of the run.
    """

    row: Row
    data: Any
    facts: Any
    at: datetime
    zone: str
    now: datetime


class Result(dict[str, object]):
    """The result row of a write, with what its sentence is made of at a terminal."""

    recorded: Recorded | None = None


@frozen
class Answer:
    """How a command that records answers: its own fields, and the query that reads them afterwards.

    On a terminal it answers with the `sentence`, made of what `facts` reads at the event's time.
    """

    fields: Fields = ()
    read_back: ReadBack | None = None
    facts: Callable[[Reader, str, datetime], object] | None = None
    sentence: Callable[[Recorded], Sentence] | None = None


def facts_of(kind: str) -> Callable[[Reader, str, datetime], Any]:
    """Return the query for the facts about a `session`, `request`, `claim` or `payout`.

    Its module is imported when the query runs: a shell completes the ids of a write without it.
    """

    def read(reader: Reader, entity_id: str, at: datetime) -> Any:  # noqa: ANN401 -- By kind.
        from liveportal.ledger.queries import recorded

        return getattr(recorded, f"{kind}_facts")(reader, entity_id, at)

    return read


def answers_person(out: OutputOptions) -> bool:
    """Return True if a person gets sentences: no format, fields or file were asked for."""
    return for_person(out) and out.columns is None


def show_result(
    row: Row,
    answer: Answer,
    out: OutputOptions,
    *,
    zone: str | None = None,
    ledger: Path | None = None,
) -> None:
    """Show the result of a single write: a terminal gets its sentence, and the next commands."""
    recorded = getattr(row, "recorded", None)
    if answer.sentence and recorded and answers_person(out):
        sentence = answer.sentence(recorded)
        is_new = not (row["dry_run"] or row["message"] or row["replayed"])
        write_answer(_texts(row, sentence), sentence.next if is_new else (), ledger=ledger)
        return
    names = all_fields(answer.fields)
    human = names if for_person(out) else leading_fields(answer.fields)
    render(Detail(names, row, human, sparse=True), out, zone=zone)


def show_answer(
    detail: Detail, sentence: Sentence, out: OutputOptions, *, ledger: LedgerOption, dry_run: bool
) -> None:
    """Show the result of a command that writes, but not one event: as `show_result` does."""
    if not answers_person(out):
        render(detail, out)
        return
    texts, commands = sentence.paragraphs(dry_run=dry_run), () if dry_run else sentence.next
    write_answer(texts, commands, ledger=ledger.typed)


def _texts(row: Row, sentence: Sentence) -> Sequence[str]:
    """Return the sentences of a result, with one for each flag."""
    flags = map(flag_text, cast("list[str]", row["flags"]))
    if row["message"]:
        return (str(row["message"]), *flags)
    dry_run, replayed = bool(row["dry_run"]), bool(row["replayed"])
    return sentence.paragraphs(flags, dry_run=dry_run, replayed=replayed)


def show_results(
    results: Sequence[tuple[Row, int]],
    answer: Answer,
    human: tuple[str, ...],
    out: OutputOptions,
    *,
    zone: str | None = None,
    empty: str = "",
) -> None:
    """Show the rows of many writes; exits with the code of the first failure."""
    rows = [row for row, _ in results]
    if rows and answer.sentence and answers_person(out):
        write_answer((*map(partial(_line_of, answer.sentence), rows), several(rows)))
    else:
        render(Table(all_fields(answer.fields), rows, human, empty=empty), out, zone=zone)
    if code := next((code for _, code in results if code), 0):
        raise typer.Exit(code)


def _line_of(make: Callable[[Recorded], Sentence], row: Row) -> str:
    """Return the sentences about one of many things: what happened, or why it failed."""
    recorded = getattr(row, "recorded", None)
    if recorded is None:
        return ended(f"{row['id']}: {row['message']}")
    if row["message"]:
        return str(row["message"])
    dry_run, replayed = bool(row["dry_run"]), bool(row["replayed"])
    flags = (flag_text(flag) for flag in cast("list[str]", row["flags"]))
    return " ".join((make(recorded).first(dry_run=dry_run, replayed=replayed), *flags))
