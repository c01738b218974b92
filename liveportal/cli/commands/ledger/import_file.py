"""`liveportal ledger import`: make a ledger from an export, or add the export to one.

Registered in `liveportal.cli.commands.ledger`.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.io.answers import Sentence, listed, plural
from liveportal.cli.io.progress import progress
from liveportal.cli.io.prompts import STDIN, confirm, stdin_bytes
from liveportal.cli.io.render import check_output_possible, hint
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import Confirmed, DryRun, LedgerOption, OutputOptions, with_options
from liveportal.cli.write_result import show_answer
from liveportal.domain.errors import UnreadableFile
from liveportal.domain.events.envelope import is_statement
from liveportal.domain.row import Row, row
from liveportal.feeds import exported
from liveportal.feeds.following import open_feed
from liveportal.ledger import imports
from liveportal.ledger.storage.ledger_paths import check_input

if TYPE_CHECKING:
    from liveportal.feeds.exported import ExportSummary
    from liveportal.ledger.imports import Imported, Target


@row
class SourceCount(Row):
    """How many events of a source the file has."""

    source: str
    events: int


@row
class TypeCount(Row):
    """How many events of a type the file has."""

    type: str
    events: int


@row
class ImportedRow(Row):
    """An import: counts of the file's events, and what no event could bring.

    `policies` and `forgotten` are what the file adopts and whom it erases; `kept` is where the
    empty ledger is that was replaced. `identity_key` is `brought`, `another` or `missing`.
    """

    ledger: str
    state: str
    events: int
    recorded: int
    replayed: int
    confirmed: int
    erased: int
    sources: list[SourceCount]
    types: list[TypeCount]
    policies: list[str]
    forgotten: list[str]
    enter_again: list[str]
    attach_again: int
    kept: str | None
    head: str
    dry_run: bool
    identity_key: str | None


IN_MEMORY_BYTES = 32 * 1024 * 1024
"""Standard input is buffered in memory up to this size, and beyond it in a file."""
CHUNK_BYTES = 1024 * 1024
MOST_NAMES = 5

IDENTITY_NOTES = {
    "another": "The ledger keeps its own identity key, which is not the one of the file.",
    "missing": "The file lacks the identity key of its ledger: the rows of a statement that you"
    " reconcile again will not be recognised. An export without --without-personal has the key.",
}

_STATES = {"new": "created", "empty": "replaced", "existing": "added_to"}


@shows(ImportedRow)
@with_options(LedgerOption, OutputOptions)
def import_(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="What `ledger export events` wrote; - is standard input."
        ),
    ],
    ledger: LedgerOption,
    out: OutputOptions,
    dry_run: DryRun = False,
    yes: Confirmed = False,
) -> None:
    """Import your own export: it makes an equal ledger, or adds to one. Asks first.

    Where there is no ledger, or one without events but those of `init`, it makes an equal one: the
    same events, recorded when they were. Into any other ledger they are recorded now, in the file's
    order; those that are there already are skipped. All of them, or none.

    An export may say everything that you may say: import only what you exported yourself. What the
    platform sends is for `liveportal sync`. First it says what is in the file.

    No event holds the values of your payout profile or the files that you attached: `enter_again`
    and `attach_again` say what to bring back. `liveportal ledger backup` has all of it.

    Examples:
      liveportal ledger import book.jsonl --dry-run
      liveportal --ledger new.db ledger import book.jsonl --yes
    """
    spared = () if file == STDIN else (Path(file),)
    check_output_possible(ImportedRow, out, spared=(*ledger.files, *spared))
    with _open_rereadable(file) as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        with progress("Checking", size) as advance:
            contents = exported.summarise(stream, advance)
        target = imports.target(ledger.path, begins_ledger=contents.begins_ledger)
        if not (yes or dry_run):
            _describe(contents)
        confirm(_question(contents, target, ledger.path), yes=yes, dry_run=dry_run)
        stream.seek(0)
        with progress("Importing", size) as advance:
            chunks = exported.events(stream, contents.digest, advance)
            result = imports.import_events(ledger.path, chunks, target, utc_now, keep=not dry_run)
    imported = _result_row(ledger.path, contents, target, result, dry_run=dry_run)
    human = tuple(name for name in imported if name != "head")
    detail = Detail(ImportedRow, imported, human, sparse=True)
    show_answer(detail, _sentence(imported, target), out, ledger=ledger, dry_run=dry_run)


# --- the file -------------------------------------------------------------------------------------


@contextmanager
def _open_rereadable(file: str) -> Iterator[BinaryIO]:
    """Open the file for reading twice; a stream is buffered for that. Raises `UnreadableFile`."""
    if file != STDIN:
        check_input(Path(file))
        with open_feed(file) as source:
            if stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                yield source
            else:
                with _buffer_stream(source) as buffer:
                    yield buffer
        return
    with _buffer_stream(stdin_bytes()) as buffer:
        yield buffer


@contextmanager
def _buffer_stream(source: BinaryIO) -> Iterator[BinaryIO]:
    # The file has no name, so nothing is left of it.
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled:
        buffer = cast("IO[bytes]", spooled)
        try:
            while chunk := source.read(CHUNK_BYTES):
                buffer.write(chunk)
        except OSError as error:
            raise UnreadableFile(
                f"what comes in cannot be kept while it is looked at: {error.strerror}",
                hint="Write it to a file, and import that.",
            ) from None
        yield cast("BinaryIO", buffer)


# --- asking ---------------------------------------------------------------------------------------


def _describe(contents: ExportSummary) -> None:
    """Tell a person what the file contains, before they are asked to confirm."""
    hint(f"Sources: {_format_counts(contents.sources)}.")
    hint(f"Types: {_format_counts(contents.types)}.")
    if contents.identity is not None:
        hint("The file has the identity key of its ledger, and the import takes it over.")
    if contents.erased:
        hint(f"The personal part of {contents.erased} events was erased or left out.")


def _format_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in Counter(counts).most_common())


def _question(contents: ExportSummary, target: Target, path: Path) -> str:
    """Return the question whether to import the file, naming events only the expert may record."""
    events = f"{contents.events} {'event' if contents.events == 1 else 'events'}"
    where = {
        "new": f"into a new ledger at {path}",
        "empty": f"in the place of the empty ledger at {path}",
        "existing": f"into the ledger at {path}",
    }[target]
    policies = _format_names("adopts", "policy", "policies", contents.policies)
    forgotten = _format_names(
        "erases the personal data of", "customer", "customers", contents.forgotten
    )
    return f"The file {policies} and {forgotten}. Import {events} {where}?"


def _format_names(verb: str, one: str, many: str, names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    if not distinct:
        return f"{verb} no {one}"
    rest = f" and {len(distinct) - MOST_NAMES} more" if len(distinct) > MOST_NAMES else ""
    noun = one if len(distinct) == 1 else many
    return f"{verb} {len(distinct)} {noun} ({', '.join(distinct[:MOST_NAMES])}{rest})"


# --- the result -----------------------------------------------------------------------------------


def _result_row(
    path: Path, contents: ExportSummary, target: Target, result: Imported, *, dry_run: bool
) -> ImportedRow:
    return ImportedRow(
        ledger=str(path),
        state=_STATES[target],
        events=contents.events,
        recorded=result.recorded,
        replayed=result.replayed,
        confirmed=result.confirmed,
        erased=contents.erased,
        sources=[
            SourceCount(source=name, events=count)
            for name, count in sorted(contents.sources.items())
        ],
        types=[
            TypeCount(type=name, events=count) for name, count in sorted(contents.types.items())
        ],
        policies=contents.policies,
        forgotten=contents.forgotten,
        enter_again=list(result.enter_again),
        attach_again=result.attach_again,
        kept=str(result.kept) if result.kept else None,
        head=result.head,
        dry_run=dry_run,
        identity_key=_identity(contents, result),
    )


def _identity(contents: ExportSummary, result: Imported) -> str | None:
    """Return whether the ledger has the identity key of the file now; None if it needs none."""
    if result.identity is not None:
        return "brought" if result.identity else "another"
    return "missing" if any(map(is_statement, contents.sources)) else None


def _sentence(imported: ImportedRow, target: Target) -> Sentence:
    """Say what was imported, into what, and what no event could bring."""
    where = {"new": "the new ledger", "empty": "the empty ledger", "existing": "the ledger"}[target]
    before = plural(imported.replayed, "event was", "events were")
    more = [f"{before} recorded before." if imported.replayed else ""]
    commands = []
    if imported.kept:
        more.append(f"The empty ledger is now {imported.kept}.")
    if imported.enter_again:
        more.append(f"No event holds the values of {listed(imported.enter_again, 20)}.")
        commands.append(("Enter them again", "payout profile set"))
    if imported.attach_again:
        more.append(f"No event holds the {plural(imported.attach_again, 'attached file')}.")
        commands.append(("See which to attach again", "ledger verify"))
    if imported.identity_key in IDENTITY_NOTES:
        more.append(IDENTITY_NOTES[imported.identity_key])
    return Sentence(
        *("Imported", "import"),
        f"{plural(imported.recorded, 'event')} into {where} at {imported.ledger}",
        more=tuple(more),
        next=tuple(commands),
    )
