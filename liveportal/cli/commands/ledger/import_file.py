"""`liveportal ledger import`: what `ledger export events` wrote becomes a ledger, or adds to one.

`liveportal.cli.commands.ledger` adds this command to its own.
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

from liveportal.cli.io.progress import progress
from liveportal.cli.io.prompts import STDIN, confirm, stdin_bytes
from liveportal.cli.io.render import check_output_possible, hint, render
from liveportal.cli.io.view_model import Detail, HumanValue, Row
from liveportal.cli.options import LedgerOption, OutputOptions, with_options
from liveportal.cli.parse.times import utc_now
from liveportal.domain.errors import UnreadableFile
from liveportal.feeds import exported
from liveportal.feeds.following import open_feed
from liveportal.ledger import imports
from liveportal.ledger.storage.ledger_paths import check_input

if TYPE_CHECKING:
    from liveportal.feeds.exported import Contents
    from liveportal.ledger.imports import Imported, Target

FIELDS = (
    *("ledger", "state", "events", "recorded", "replayed", "confirmed", "erased", "sources"),
    *("types", "policies", "forgotten", "enter_again", "attach_again", "kept", "head", "dry_run"),
)
IN_MEMORY_BYTES = 32 * 1024 * 1024
"""So much of standard input is kept in memory while it is looked at, and more in a file."""
PIECE_BYTES = 1024 * 1024
SHOWN = 5

_STATES = {"new": "created", "empty": "replaced", "existing": "added_to"}


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
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show what would happen; change nothing.", rich_help_panel="Writing"
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Do not ask for confirmation.", rich_help_panel="Writing"),
    ] = False,
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
    check_output_possible(FIELDS, out, spared=(*ledger.files, *spared))
    with _rereadable(file) as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        with progress("Checking", size) as told:
            found = exported.contents(stream, told)
        into = imports.target(ledger.path, begins_ledger=found.begins_ledger)
        if not (yes or dry_run):
            _describe(found)
        confirm(_question(found, into, ledger.path), yes=yes, dry_run=dry_run)
        stream.seek(0)
        with progress("Importing", size) as told:
            chunks = exported.events(stream, found.digest, told)
            done = imports.carry_out(ledger.path, chunks, into, utc_now, keep=not dry_run)
    row = _row(ledger.path, found, into, done, dry_run=dry_run)
    human = tuple(name for name in FIELDS if name != "head" and row[name])
    title = "This would be imported" if dry_run else "Imported"
    render(Detail(FIELDS, row, human, title=title), out)
    _advise(done)


# --- the file -------------------------------------------------------------------------------------


@contextmanager
def _rereadable(file: str) -> Iterator[BinaryIO]:
    """Open the file, which is read twice: a stream is kept meanwhile. Raises `UnreadableFile`."""
    if file != STDIN:
        check_input(Path(file))
        with open_feed(file) as source:
            if stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                yield source
            else:
                with _kept(source) as kept:
                    yield kept
        return
    with _kept(stdin_bytes()) as kept:
        yield kept


@contextmanager
def _kept(source: BinaryIO) -> Iterator[BinaryIO]:
    # In a file without a name, of which nothing stays.
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled:
        kept = cast("IO[bytes]", spooled)
        try:
            while piece := source.read(PIECE_BYTES):
                kept.write(piece)
        except OSError as error:
            raise UnreadableFile(
                f"what comes in cannot be kept while it is looked at: {error.strerror}",
                hint="Write it to a file, and import that.",
            ) from None
        yield cast("BinaryIO", kept)


# --- asking ---------------------------------------------------------------------------------------


def _describe(found: Contents) -> None:
    """Say to a person what is in the file, before it is asked whether to import it."""
    hint(f"Sources: {_counted(found.sources)}.")
    hint(f"Types: {_counted(found.types)}.")
    if found.erased:
        hint(f"The personal part of {found.erased} events was erased or left out.")


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in Counter(counts).most_common())


def _question(found: Contents, into: Target, path: Path) -> str:
    """Ask whether to import the file, naming what only the expert may say."""
    events = f"{found.events} {'event' if found.events == 1 else 'events'}"
    where = {
        "new": f"into a new ledger at {path}",
        "empty": f"in the place of the empty ledger at {path}",
        "existing": f"into the ledger at {path}",
    }[into]
    policies = _named("adopts", "policy", "policies", found.policies)
    forgotten = _named("erases the personal data of", "customer", "customers", found.forgotten)
    return f"The file {policies} and {forgotten}. Import {events} {where}?"


def _named(verb: str, one: str, many: str, names: Sequence[str]) -> str:
    different = list(dict.fromkeys(names))
    if not different:
        return f"{verb} no {one}"
    more = f" and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
    what = one if len(different) == 1 else many
    return f"{verb} {len(different)} {what} ({', '.join(different[:SHOWN])}{more})"


# --- the result -----------------------------------------------------------------------------------


def _row(path: Path, found: Contents, into: Target, done: Imported, *, dry_run: bool) -> Row:
    return {
        "ledger": str(path),
        "state": _STATES[into],
        "events": found.events,
        "recorded": done.recorded,
        "replayed": done.replayed,
        "confirmed": done.confirmed,
        "erased": found.erased,
        "sources": _listed("source", found.sources),
        "types": _listed("type", found.types),
        "policies": found.policies,
        "forgotten": found.forgotten,
        "enter_again": list(done.enter_again),
        "attach_again": done.attach_again,
        "kept": str(done.kept) if done.kept else None,
        "head": done.head,
        "dry_run": dry_run,
    }


def _listed(name: str, counts: Mapping[str, int]) -> HumanValue:
    rows = [{name: key, "events": count} for key, count in sorted(counts.items())]
    return HumanValue(rows, lambda _now, _zone: [f"{key}: {counts[key]}" for key in sorted(counts)])


def _advise(done: Imported) -> None:
    if done.enter_again:
        fields = ", ".join(done.enter_again)
        hint(f"Enter again: {fields}. `liveportal payout profile set` asks for the values.")
    if done.attach_again:
        hint(
            f"Attach again {done.attach_again} files: `liveportal ledger verify` names them for"
            " `liveportal sessions attach`."
        )
