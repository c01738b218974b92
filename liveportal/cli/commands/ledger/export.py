"""`liveportal ledger export`: write the journal to a file."""

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
from liveportal.cli.io.output_file import check_target, open_output
from liveportal.cli.io.render import check_output_possible
from liveportal.cli.io.view_model import Detail, shows
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions, with_options
from liveportal.cli.write_result import show_answer
from liveportal.domain.clock import month_of, utc_text
from liveportal.domain.row import Row, row
from liveportal.exports.events import line
from liveportal.ledger.format.serialisation import StoredEvent, journal
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.secrets.identity import carried

app = Commands("Write the journal to a file: events.")


@row
class Exported(Row):
    """A file that was written: its events, and of how many the personal part was erased."""

    path: Path
    events: int
    erased: int


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
        typer.Option("--without-personal", help="Leave out what is personal; ids and money stay."),
    ] = False,
) -> None:
    """Write every event of the journal, one line of JSON each, for `ledger import`.

    A line is the event as a feed has it, and `recordedat`: when this ledger recorded it. Where the
    personal part of an event was erased, or is left out, the line says `erased`. Values of the
    payout profile and attached files are in no event; a backup has them, an export has not. The
    first line has the identity key of the ledger, if it has one, but not with --without-personal:
    with the key, names can be tried against the ids that were made from them.

    --from and --to choose events by the month of their time, in the ledger's zone. Such a part can
    be imported into a ledger that has the events before it; a ledger begins with a whole export.

    Examples:
      liveportal ledger export events -o book.jsonl
      liveportal ledger export events --as-known 2026-10-31 --without-personal | gzip > october.gz
    """
    path = None if out.output in (None, Path("-")) else out.output
    if path is None and any((out.json, out.csv, out.tsv, out.header, out.fields)):
        raise typer.BadParameter(
            "events are lines of JSON; a summary in another format needs -o FILE"
        )
    check_output_possible(Exported, out)
    check_target(path, ledger.files)
    with open_readonly(ledger.path) as reader:
        known_at = read.known_at(reader.own_timezone, utc_now())
        stored_events = journal(reader.db, until=utc_text(known_at) if known_at else None)
        if months.is_given:
            stored_events = _in_months(reader, stored_events, months)
        identity = None if without_personal else carried(reader.db, ledger.path)
        count, erased = _write(
            stored_events, path, without_personal=without_personal, identity=identity
        )
    if path is not None:
        exported = Exported(path=path, events=count, erased=erased)
        without = "The personal part of {} was erased or left out."
        sentence = Sentence(
            *("Exported", "export", f"{plural(count, 'event')} to {path}"),
            more=(without.format(plural(erased, "event")) if erased else "",),
            next=(("Try to import it", f"ledger import {shlex.quote(str(path))} --dry-run"),),
        )
        detail, shown = Detail(Exported, exported), replace(out, output=None)
        show_answer(detail, sentence, shown, ledger=ledger, dry_run=False)


def _write(
    events: Iterable[StoredEvent],
    path: Path | None,
    *,
    without_personal: bool,
    identity: bytes | None,
) -> tuple[int, int]:
    """Write events to a file or to standard output; return their number, and of the erased."""
    count = erased = 0
    with open_output(path) as stream:
        for stored in events:
            text = line(
                stored.event,
                stored.recorded_at,
                erased=stored.erased,
                without_personal=without_personal,
                identity=None if count else identity,
            )
            stream.write(f"{text}\n")
            count += 1
            erased += stored.erased
    return count, erased


def _in_months(
    reader: Reader, events: Iterable[StoredEvent], months: FromTo
) -> Iterator[StoredEvent]:
    span, zone = months.span(reader), reader.timezone
    return (e for e in events if span.first <= month_of(e.event.time, zone) <= span.last)
