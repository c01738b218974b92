"""`liveportal sessions` attach and search: the evidence of sessions.

Registered in `liveportal.cli.commands.sessions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.commands.sessions.argument import One
from liveportal.cli.completion import choices, ids
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.progress import progress
from liveportal.cli.io.render import for_person, hint, render
from liveportal.cli.io.view_model import Highlighted, Table, shows, shows_result
from liveportal.cli.options import (
    LedgerOption,
    Options,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.parse.times import read_time
from liveportal.cli.read_command import display_zone, open_reader
from liveportal.cli.write_command import (
    Answer,
    Writer,
    open_writer,
    run_catching,
    show_result,
    show_results,
)
from liveportal.domain.artifacts import KINDS
from liveportal.domain.frozen import frozen
from liveportal.domain.row import Row, row
from liveportal.ledger.attachments.vault import no_progress
from liveportal.ledger.queries import session_search
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.session_search import SearchRow
from liveportal.ledger.queries.transcripts import ArtifactRow, artifact

if TYPE_CHECKING:
    from liveportal.ledger.journal.journal import Outcome
    from liveportal.ledger.queries.reader import Reader

HITS = 20
"""The number of hits on a terminal without `--limit`."""

HUMAN = ("file", "state", "kind", "bytes", "messages", "flags", "message")
HUMAN_HITS = ("session", "customer_name", "where", "at_seconds", "speaker", "snippet")
SLOW_BYTES = 10_000_000
FLAGS = {
    "unreadable_transcript": "It cannot be read as a transcript, so its words are not found.",
    "transcript_cut": "It is very long: what comes later in it is not found by searching.",
    "text_outside_cues": "Some of its text is in no cue: it is kept, without a time.",
    "encoding_guessed": "It is not UTF-8: if its words look wrong, convert it and attach it again.",
}


@row
class GivenFile(Row):
    """The file that was given, as its path was typed."""

    file: str


@row
class AttachResult(ArtifactRow, GivenFile):
    """What `sessions attach` shows of each file: the file, then its artifact."""


Kind = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="transcript, attachment, recording or code; default: by the name's ending.",
        autocompletion=choices(KINDS),
    ),
]


@shows_result(AttachResult, many=True)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def attach(
    session: One,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What proves it.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    kind: Kind = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="Another name for the file.")
    ] = None,
) -> None:
    """Attach files to a session: they are copied into the ledger's vault, each once.

    Transcripts (.vtt, .srt, .sbv, .txt, .jsonl: also those of Google Meet,
    Teams and Otter, and the chats that Zoom saves in any language) can then be
    searched. Files of more than 2 GB are refused, unless `preferences
    set --attachment-limit` says otherwise. The vault is the folder beside the
    ledger, ledger.db.vault: back it up, too.

    Examples:
      liveportal sessions attach S-1001 call.mp4 chat.txt Fix.shader
      liveportal sessions attach S-1001 notes.md --kind transcript --name "my notes"
    """
    if kind is not None and kind not in KINDS:
        raise typer.BadParameter(f"the kinds are: {', '.join(KINDS)}", param_hint="--kind")
    if name is not None and len(files) > 1:
        raise typer.BadParameter("--name is for one file", param_hint="--name")
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
    _hint_flags([row for row, _ in results])
    if many:
        show_results(results, AttachResult, HUMAN, out, zone=zone)
    else:
        show_result(results[0][0], Answer(AttachResult), out, zone=zone)


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
    from liveportal.ledger.attachments.index import artifact_of  # A search needs none of it.

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
    return writer.result(outcome, session, shown)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except (OSError, ValueError):
        return 0


def _hint_flags(results: Sequence[Mapping[str, Any]]) -> None:
    for result in results:
        for flag in result["flags"] or ():
            hint(f"{result['name']}: {FLAGS.get(flag, flag)}")
    if any(result["messages"] for result in results):
        hint("`liveportal sessions search WORDS` finds what was said.")


@frozen
class Scope(Options):
    """Where a search looks."""

    customer: Annotated[
        str | None,
        typer.Option(
            "--customer",
            metavar="ID",
            help="Only this customer's sessions.",
            autocompletion=ids("customer"),
        ),
    ] = None
    session: Annotated[
        str | None,
        typer.Option(
            "--session", metavar="ID", help="Only this session.", autocompletion=ids("session")
        ),
    ] = None
    speaker: Annotated[
        str | None, typer.Option("--speaker", metavar="NAME", help="Only what they said.")
    ] = None
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only what was said from then on.")
    ] = None

    comes_first: ClassVar[bool] = True

    def where(self, reader: Reader, zone: str) -> session_search.Where:
        """Return the scope with the session's whole id, and the time read in `zone`."""
        session = None if self.session is None else reader.resolve_id("session", self.session)
        since = self.since
        return session_search.Where(
            customer=self.customer,
            session=session,
            speaker=self.speaker,
            since=None
            if since is None
            else read_time(since, zone, utc_now(), past=True, date_only=True),
        )


@shows(SearchRow, many=True)
@with_options(Scope, LedgerOption, ReadOptions, OutputOptions)
def search(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORDS...", help='Words, or parts: "a phrase", -not, begin*.'),
    ],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    scope: Scope,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, metavar="N", help="At most so many; a terminal: 20."),
    ] = None,
) -> None:
    """Search what was said in sessions and written about them, the best first.

    Transcripts are searched (see `liveportal sessions attach`), and titles,
    descriptions, reasons, summaries, notes and reviews; `where` says in which a
    hit is. All the words must stand in one message or text. A part of a word is
    enough (`flicker` finds "flickers"; of one or two letters the beginning), in
    every script, without regard to case, width and accents. `mali*` must begin
    a word, quotes make a phrase of whole words, `-word` leaves out what has it
    (after `--` also a single letter). Hits stand in [brackets], on a terminal
    in reverse. With --speaker only transcripts are searched.

    Examples:
      liveportal sessions search shader flicker
      liveportal sessions search "render pipeline" mali* -urp --customer C-77
      liveportal sessions search refund --speaker Mina --since 2026-10-01 --json
    """
    query = session_search.matching(words)
    if query is None:
        raise typer.BadParameter("name at least one word to look for", param_hint="WORDS")
    is_person = for_person(out)
    max_hits = HITS if limit is None and is_person else limit
    with open_reader(ledger, read, out) as reader:
        zone = display_zone(reader, read)
        where = scope.where(reader, zone)
        # One more than is shown, to find out whether there are more.
        rows = session_search.search(reader, query, where, max_hits and max_hits + 1)
        empty = (
            "" if rows or not is_person else _empty_message(session_search.searched(reader, where))
        )
    hits = [
        {**row, "snippet": Highlighted(tuple(query.snippet(row.text)))} for row in rows[:max_hits]
    ]
    render(Table(SearchRow, hits, HUMAN_HITS, empty=empty), out, zone=zone)
    if is_person and len(rows) > len(hits):
        hint(f"These are the best {len(hits)}; --limit shows more.")
    elif is_person and any(row.where == session_search.MESSAGE for row in rows):
        hint("`liveportal sessions show ID --transcript` shows all that was said in one.")


def _empty_message(searched: session_search.Searched) -> str:
    """Return the message for an empty result, which says what was searched."""
    places = [f"{searched.messages:,} messages of {searched.transcripts:,} transcripts"]
    if searched.texts:
        places.append("all titles, descriptions, reasons, notes and reviews")
    return f"Nothing was found. Searched were {' and '.join(places)}."
