"""`liveportal sessions attach`: keep files as the evidence of a session.

Registered in `liveportal.cli.commands.sessions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.commands.sessions.answers import attached
from liveportal.cli.commands.sessions.argument import One
from liveportal.cli.completion import choices
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.progress import progress
from liveportal.cli.io.view_model import shows_result
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.write_command import Writer, open_writer, run_catching
from liveportal.cli.write_result import Answer, show_result, show_results
from liveportal.domain.artifacts import KINDS
from liveportal.domain.row import Row, row
from liveportal.ledger.attachments.index import artifact_of
from liveportal.ledger.attachments.vault import no_progress
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.recorded import session_facts
from liveportal.ledger.queries.transcripts import ArtifactRow, artifact

if TYPE_CHECKING:
    from liveportal.ledger.journal.journal import Outcome
    from liveportal.ledger.queries.reader import Reader

HUMAN = ("file", "state", "kind", "bytes", "messages", "flags", "message")
SLOW_BYTES = 10_000_000


@row
class GivenFile(Row):
    """The file that was given, as its path was typed."""

    file: str


@row
class AttachResult(ArtifactRow, GivenFile):
    """The result of `sessions attach` for each file: the file, then its artifact."""


Kind = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="transcript, attachment, recording or code (default: by name).",
        autocompletion=choices(KINDS),
    ),
]


@shows_result(AttachResult, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def attach(
    session: One,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files to keep as evidence.")
    ],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    kind: Kind = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="Store the file under this name.")
    ] = None,
) -> None:
    """Attach files to a session as evidence.

    Each file is copied, once, into the vault: the folder ledger.db.vault beside the ledger, which
    `ledger backup` includes.

    Transcripts (.vtt, .srt, .sbv, .txt, .jsonl; of Google Meet, Teams, Otter or Zoom) can then be
    searched with `sessions search`. Files of more than 2 GB are refused, unless you set another
    limit: `preferences set --attachment-limit`.

    Examples:
      liveportal sessions attach S-1001 call.mp4 chat.txt Fix.shader
      liveportal sessions attach S-1001 notes.md --kind transcript --name "my notes"
    """
    if kind is not None and kind not in KINDS:
        raise typer.BadParameter(
            f"{kind!r} is not a kind. The kinds are: {', '.join(KINDS)}.", param_hint="--kind"
        )
    if name is not None and len(files) > 1:
        raise typer.BadParameter("--name can be used only for one file.")
    with open_writer(ledger, write, out, AttachResult) as writer:
        check_target(out.output, files)
        zone = writer.zone
        session_id = writer.portal.resolve_id("session", session)
        attach_one = partial(_attach, writer, write, session_id, kind=kind, name=name)
        if many := len(files) > 1:
            results = [
                run_catching(
                    partial(attach_one, file, many=True),
                    AttachResult,
                    write,
                    id=session_id,
                    state=None,
                    file=str(file),
                )
                for file in files
            ]
        else:
            results = [(attach_one(files[0]), 0)]
    answer = Answer(AttachResult, sentence=attached)
    if many:
        show_results(results, answer, HUMAN, out, zone=zone)
    else:
        show_result(results[0][0], answer, out, zone=zone, ledger=ledger.typed)


def _attach(
    writer: Writer,
    write: WriteOptions,
    session: str,
    file: Path,
    *,
    kind: str | None,
    name: str | None,
    many: bool = False,
) -> Mapping[str, object]:
    """Attach one file and return its result row."""
    size, details = _size(file), dict[str, object]()

    def read_details(reader: Reader, outcome: Outcome) -> None:
        details.update(artifact(reader, artifact_of(reader.db, outcome.seq)))

    is_quick = size < SLOW_BYTES
    with nullcontext(no_progress) if is_quick else progress(file.name, size) as advance:
        outcome = writer.portal.attach(
            session,
            file,
            kind=kind,
            name=name,
            at=writer.at,
            key=f"{write.key}:{name or file.name}" if write.key and many else write.key,
            allow=writer.allowed,
            progress=advance,
            read_back=read_details,
        )
    shown = {
        **details,
        "id": session,
        "state": "added",
        "message": None,
        "file": str(file),
        # A dry run stores nothing, but shows the result that the command would have.
        "stored": details["stored"] or write.dry_run,
    }
    facts = session_facts(writer.reader, session, outcome.event.time)
    return writer.result(outcome, session, shown, facts)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except (OSError, ValueError):
        return 0
