"""`liveportal ledger import`: make a ledger from an export, or add the export to one.

Registered in `liveportal.cli.commands.ledger`.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
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
from liveportal.ledger.ledger_file import LedgerFile
from liveportal.ledger.storage.ledger_paths import check_input
from liveportal.services.event_export import Archive, attach_again, is_archive

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
    """An import: counts of the file's events, and what has to be entered or attached again.

    `policies` are those that the file adopts, `forgotten` the customers that it erases; `kept` is
    the path of the empty ledger that was replaced. `identity_key` is `brought`, `another` or
    `missing`.
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
    attached: int


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
            metavar="FILE", help="A file of `ledger export events`; - is standard input."
        ),
    ],
    ledger: LedgerOption,
    out: OutputOptions,
    dry_run: DryRun = False,
    yes: Confirmed = False,
) -> None:
    """Import your own export into a ledger.

    Without a ledger, or with one that `init` just created, it creates an equivalent ledger: the
    same events with the same recording times. Otherwise it adds the events that the ledger does
    not have, all of them or none. It shows what is in the file, and asks first.

    Import only files that you exported yourself: an export can change everything, such as your
    preferences and payouts. For what the platform sends, use `liveportal sync`.

    An export never contains the payout profile, and evidence files only if it was made with
    --with-attachments. `enter_again` and `attach_again` list what is missing afterwards.
    `liveportal ledger backup` has everything.

    Examples:
      liveportal ledger import book.jsonl --dry-run
      liveportal --ledger new.db ledger import book.jsonl --yes
    """
    spared = () if file == STDIN else (Path(file),)
    check_output_possible(ImportedRow, out, spared=(*ledger.files, *spared))
    with _open_rereadable(file) as given, _events_of(given, file) as (stream, archive):
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
        attached = _attach(ledger.path, archive, result, dry_run=dry_run) if archive else 0
    imported = _result_row(
        ledger.path, contents, target, result, attached=attached, dry_run=dry_run
    )
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
                f"Standard input cannot be buffered: {error.strerror}.",
                hint="Write the export to a file, and import the file.",
            ) from None
        yield cast("BinaryIO", buffer)


@contextmanager
def _events_of(given: BinaryIO, name: str) -> Iterator[tuple[BinaryIO, Archive | None]]:
    """Yield the events of an export, and the archive in which they are, if they are in one."""
    if not is_archive(given):
        yield given, None
        return
    archive = Archive(given, name)
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled:
        buffer = cast("IO[bytes]", spooled)
        for chunk in archive.events():
            buffer.write(chunk)
        buffer.seek(0)
        yield cast("BinaryIO", buffer), archive


def _attach(path: Path, archive: Archive, result: Imported, *, dry_run: bool) -> int:
    """Attach the files of the archive that the ledger lacks; return their number."""
    lacking = [sha256 for sha256 in result.lacking if archive.has(sha256)]
    if dry_run or not lacking:
        return len(lacking)
    size = sum(map(archive.size, lacking))
    with closing(LedgerFile.open(path, utc_now)) as ledger, progress("Attaching", size) as advance:
        return attach_again(ledger, archive, advance)


# --- asking ---------------------------------------------------------------------------------------


def _describe(contents: ExportSummary) -> None:
    """Show a person what the file contains, before they are asked to confirm."""
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
        "empty": f"in place of the empty ledger at {path}",
        "existing": f"into the ledger at {path}",
    }[target]
    policies = _format_names("adopts", "policy", "policies", contents.policies)
    forgotten = _format_names("forgets", "customer", "customers", contents.forgotten)
    return f"The file {policies} and {forgotten}. Import {events} {where}?"


def _format_names(verb: str, one: str, many: str, names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    if not distinct:
        return f"{verb} no {many}"
    rest = f" and {len(distinct) - MOST_NAMES} more" if len(distinct) > MOST_NAMES else ""
    noun = one if len(distinct) == 1 else many
    return f"{verb} {len(distinct)} {noun} ({', '.join(distinct[:MOST_NAMES])}{rest})"


# --- the result -----------------------------------------------------------------------------------


def _result_row(
    path: Path,
    contents: ExportSummary,
    target: Target,
    result: Imported,
    *,
    attached: int,
    dry_run: bool,
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
        attach_again=len(result.lacking) - attached,
        kept=str(result.kept) if result.kept else None,
        head=result.head,
        dry_run=dry_run,
        identity_key=_identity(contents, result),
        attached=attached,
    )


def _identity(contents: ExportSummary, result: Imported) -> str | None:
    """Return whether the ledger has the identity key of the file now; None if it needs none."""
    if result.identity is not None:
        return "brought" if result.identity else "another"
    return "missing" if any(map(is_statement, contents.sources)) else None


def _sentence(imported: ImportedRow, target: Target) -> Sentence:
    """Answer `ledger import`: what was imported, and what has to be entered or attached again."""
    where = {"new": "the new ledger", "empty": "the empty ledger", "existing": "the ledger"}[target]
    before = plural(imported.replayed, "event was", "events were")
    with_files = f" and {plural(imported.attached, 'file')}" if imported.attached else ""
    more = [f"{before} already in it." if imported.replayed else ""]
    commands = []
    if imported.kept:
        more.append(f"The empty ledger is now {imported.kept}.")
    if imported.enter_again:
        names = listed([name.replace("_", " ") for name in imported.enter_again], 20)
        more.append(f"An export does not contain these fields of your payout profile: {names}.")
        commands.append(("Enter them again", "payout profile set"))
    if imported.attach_again:
        more.append(f"An export does not contain {plural(imported.attach_again, 'evidence file')}.")
        commands.append(("See which files to attach again", "ledger verify"))
    if imported.identity_key in IDENTITY_NOTES:
        more.append(IDENTITY_NOTES[imported.identity_key])
    return Sentence(
        *("Imported", "import"),
        f"{plural(imported.recorded, 'event')}{with_files} into {where} at {imported.ledger}",
        more=tuple(more),
        next=tuple(commands),
    )
