"""The evidence that `liveportal sessions show` can show: transcripts and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path

import typer

from liveportal.cli.io.render import check_output_possible, for_person, hint, render
from liveportal.cli.io.text import clean
from liveportal.cli.io.view_model import Detail, Table, names_of
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions
from liveportal.cli.read_command import display_zone, open_reader
from liveportal.domain.artifacts import safe_name
from liveportal.domain.errors import LiveportalError, NotOpened
from liveportal.domain.row import Row, row
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.queries.transcripts import MessageRow, find_artifact, messages


@row
class OpenedFile(Row):
    """A file of a session's evidence that was opened: the session's id, and the copy's path."""

    id: str
    name: str | None
    kind: str
    sha256: str
    path: str


def show_evidence(
    session: str, opened: str | None, ledger: LedgerOption, read: ReadOptions, out: OutputOptions
) -> None:
    """Open a file of a session's evidence, or without a name show the transcript."""
    if opened is None:
        _show_transcript(session, ledger, read, out)
    else:
        _open_copy(session, opened, ledger, read, out)


def _show_transcript(
    session: str, ledger: LedgerOption, read: ReadOptions, out: OutputOptions
) -> None:
    """Show the messages of a session: through a pager on a terminal, else as rows."""
    with open_reader(ledger, read, out) as reader:
        name = reader.resolve_id("session", session)
        rows = messages(reader, name)
        zone = display_zone(reader, read)
    if not rows:
        hint(f"Add a transcript with `liveportal sessions attach {name} FILE`.")
    if rows and for_person(out) and out.columns is None:
        _page(list(_format_messages(rows)))
        return
    empty = "No transcript is attached to this session."
    render(Table(MessageRow, rows, empty=empty), out, zone=zone)


def _format_messages(rows: Sequence[MessageRow]) -> Iterator[str]:
    """Yield the messages as lines of text, each transcript under its name."""
    transcripts = [(name, list(said)) for name, said in groupby(rows, lambda row: row.artifact)]
    for name, said in transcripts:
        if len(transcripts) > 1:
            yield f"--- {clean(name or 'transcript')}"
        for message in said:
            offset, speaker = message.at_seconds, message.speaker
            position = "" if offset is None else f"[{_format_offset(offset)}] "
            prefix = f"{clean(speaker)}: " if speaker else ""
            yield f"{position}{prefix}{clean(message.text)}"


def _format_offset(offset: timedelta) -> str:
    """Format an offset as a media player does: `12:31`, `1:02:03`, `-0:30`."""
    seconds = abs(offset) // timedelta(seconds=1)
    sign = "-" if offset < timedelta() else ""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{sign}{hours}:{minute:02}:{second:02}" if hours else f"{sign}{minute}:{second:02}"


def _page(lines: Sequence[str]) -> None:
    """Write lines to the terminal, through the pager ($PAGER) if they do not fit."""
    text = "\n".join(lines) + "\n"
    from pydoc import pager
    from shutil import get_terminal_size

    size = get_terminal_size()
    if sum(1 + len(line) // size.columns for line in lines) < size.lines:
        typer.echo(text, nl=False)
        return
    pager(text)


def _open_copy(
    session: str, text: str, ledger: LedgerOption, read: ReadOptions, out: OutputOptions
) -> None:
    """Open a file of a session's evidence with the system's program for its type.

    The program gets a copy, in a folder that only its owner may enter, and so cannot change the
    vault's file.
    """
    from tempfile import mkdtemp

    check_output_possible(names_of(OpenedFile), out, spared=ledger.files)
    with open_reader(ledger, read, out) as reader:
        name = reader.resolve_id("session", session)
        artifact = find_artifact(reader, name, text)
        zone = display_zone(reader, read)
    folder = Path(mkdtemp(prefix="liveportal-"))
    path = folder / safe_name(artifact.name or artifact.kind)
    try:
        Vault(ledger.path).copy_to(artifact.sha256, path)
    except LiveportalError:
        folder.rmdir()
        raise
    if typer.launch(str(path)):
        raise NotOpened(
            f"No program on this system opens {path.name}.",
            hint=f"A copy of the file is at {path}.",
            path=str(path),
        )
    opened = OpenedFile(
        id=name, name=artifact.name, kind=artifact.kind, sha256=artifact.sha256, path=str(path)
    )
    render(Detail(OpenedFile, opened, ("name", "path")), out, zone=zone)
    hint("This is a copy: changes do not reach the evidence. Delete it when you are done.")
