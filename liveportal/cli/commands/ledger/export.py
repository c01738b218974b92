"""`liveportal ledger export`: write the book to a file, as events or for another program."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.clock import utc_now
from liveportal.cli.commands.earnings.span import FromTo
from liveportal.cli.io.answers import Sentence, plural
from liveportal.cli.io.output_file import check_target, open_output, open_output_bytes
from liveportal.cli.io.render import check_output_possible
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.write_result import show_answer
from liveportal.domain.clock import month_of, utc_text
from liveportal.domain.row import Row, row
from liveportal.ledger.attachments.vault import Vault
from liveportal.ledger.format.serialisation import StoredEvent, journal
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.secrets.identity import carried
from liveportal.services.event_export import EventLines, write_archive

app = Commands(
    """Write your books to a file: all events, or a journal for another program.

    Examples:
      liveportal ledger export events -o book.jsonl
      liveportal ledger export hledger -o book.journal
    """
)


@row
class Exported(Row):
    """A file that was written, and how many of its events lack their personal part."""

    path: Path
    events: int
    erased: int
    files: int


@app.command("events")
@shows(Exported)
@with_options(FromTo, LedgerOption, ReadOptions, OutputOptions)
def events(
    months: FromTo,
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    without_personal: Annotated[
        bool,
        typer.Option("--without-personal", help="Leave out names and text; keep ids and money."),
    ] = False,
    with_attachments: Annotated[
        bool,
        typer.Option(
            "--with-attachments", help="Write a ZIP archive that includes the evidence files."
        ),
    ] = False,
) -> None:
    """Write all events as lines of JSON.

    Use it to move to another computer, to analyse your data, or to keep a copy in plain text.
    `liveportal ledger import` creates an equivalent ledger from it. Each line is an event as in a
    feed, with the time at which it was recorded (`recordedat`), and `erased` if its personal part
    is missing. An export never contains the payout profile, and evidence files only with
    --with-attachments; a backup contains everything.

    The first line has the identity key of the ledger, if it has one. With this key, names can be
    tried against the ids that were made from them, so --without-personal leaves it out.

    --from and --to choose events by month, in the ledger's time zone. Such a part can only be
    imported into a ledger that has the events before it.

    Examples:
      liveportal ledger export events -o book.jsonl
      liveportal ledger export events --with-attachments -o book.zip
      liveportal ledger export events --as-known 2026-10-31 --without-personal | gzip > october.gz
    """
    if with_attachments and without_personal:
        raise typer.BadParameter("Evidence files are personal. Leave out --without-personal.")
    path = file_target(Exported, "Events are lines of JSON", ledger, out)
    if with_attachments and path is None:
        raise typer.BadParameter("--with-attachments writes a ZIP archive. Name it with -o FILE.")
    with open_readonly(ledger.path) as reader:
        known_at = read.known_at(reader.own_timezone, utc_now())
        stored_events = journal(reader.db, until=utc_text(known_at) if known_at else None)
        if months.is_given:
            stored_events = _in_months(reader, stored_events, months)
        identity = None if without_personal else carried(reader.db, ledger.path)
        lines = EventLines(stored_events, without_personal=without_personal, identity=identity)
        lost = _write(lines, path, Vault(ledger.path) if with_attachments else None)
    if path is not None:
        exported = Exported(
            path=path,
            events=lines.count,
            erased=lines.erased,
            files=len(lines.hashes) - len(lost) if with_attachments else 0,
        )
        show_answer(
            Detail(Exported, exported),
            _sentence(exported, lost),
            replace(out, output=None),
            ledger=ledger,
            dry_run=False,
        )


def _write(lines: EventLines, path: Path | None, vault: Vault | None) -> list[str]:
    """Write an export; return the hashes of the files that the vault should have and has not."""
    if vault is None or path is None:
        with open_output(path) as stream:
            stream.writelines(f"{text}\n" for text in lines)
        return []
    with open_output_bytes(path) as target:
        return write_archive(target, lines, vault)


def _sentence(exported: Exported, lost: list[str]) -> Sentence:
    with_files = f" and {plural(exported.files, 'file')}" if exported.files else ""
    left_out = f"The personal part of {plural(exported.erased, 'event')} was erased or left out."
    missing = f"{plural(len(lost), 'evidence file is', 'evidence files are')} not in the vault."
    return Sentence(
        *("Exported", "export"),
        f"{plural(exported.events, 'event')}{with_files} to {exported.path}",
        more=(left_out if exported.erased else "", missing.capitalize() if lost else ""),
        next=(("Try to import it", f"ledger import {shlex.quote(str(exported.path))} --dry-run"),),
    )


app.place("hledger", "liveportal.cli.commands.ledger.export_plain_text")
app.place("ledger", "liveportal.cli.commands.ledger.export_plain_text", "ledger_")
app.place("beancount", "liveportal.cli.commands.ledger.export_plain_text")


def file_target(
    shown: type[Row], own_format: str, ledger: LedgerOption, out: OutputOptions
) -> Path | None:
    """Return the file to write to, None for standard output.

    A format of results is one of the summary, which is shown only beside a file: without it, it is
    a usage error.
    """
    path = None if out.output in (None, Path("-")) else out.output
    if path is None and any((out.json, out.csv, out.tsv, out.header, out.fields)):
        raise typer.BadParameter(f"{own_format}; a summary in another format needs -o FILE.")
    check_output_possible(shown, out)
    check_target(path, ledger.files)
    return path


def _in_months(
    reader: Reader, events: Iterable[StoredEvent], months: FromTo
) -> Iterator[StoredEvent]:
    span, zone = months.span(reader), reader.timezone
    return (e for e in events if span.first <= month_of(e.event.time, zone) <= span.last)
