"""`liveportal ledger`: the ledger file itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.completion import ids
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.render import render
from liveportal.cli.io.view_model import Detail, shows, shows_result
from liveportal.cli.io.view_model import Row as AnyRow
from liveportal.cli.options import LedgerOption, OutputOptions, WriteOptions, with_options
from liveportal.cli.read_command import Query, reads
from liveportal.domain.row import Row, row
from liveportal.ledger.queries import ledger_info
from liveportal.ledger.queries.ledger_info import LedgerInfo
from liveportal.ledger.queries.reader import Reader

if TYPE_CHECKING:
    from liveportal.cli.write_command import Writer

app = Commands(
    """Verify, back up, restore and export your ledger.

    The ledger is one SQLite file on your computer. Evidence files are in the folder beside it.

    Examples:
      liveportal ledger verify
      liveportal ledger backup --to ~/backups --keep 7d,4w,12m
      liveportal ledger export events -o book.jsonl
    """,
    default="info",
)
app.place("verify", "liveportal.cli.commands.ledger.verify")


@row
class LedgerPath(Row):
    """The path of the ledger, and whether the file exists; a pipe gets the path only."""

    path: str
    exists: bool


@app.command("path")
@shows(LedgerPath)
@with_options(LedgerOption, OutputOptions)
def path(ledger: LedgerOption, out: OutputOptions) -> None:
    """Show the path of the ledger.

    A ledger that does not exist yet would be created there.

    Example: sqlite3 -readonly "$(liveportal ledger path)" 'SELECT count(*) FROM event'
    """
    check_target(out.output, ledger.files)
    place = LedgerPath(path=str(ledger.path), exists=ledger.path.is_file())
    is_whole = out.json or out.jsonl or out.columns
    render(Detail(LedgerPath if is_whole else ("path",), place), out)


@app.command("info")
@reads(LedgerInfo)
def info() -> Query:
    """Show the ledger's size, policy, time zone and head.

    The head is the hash of the last event. Write it down somewhere else: with it,
    `liveportal ledger verify --head` proves later that nothing before it was changed.

    Example: liveportal ledger info --json
    """

    def query(reader: Reader) -> Detail:
        return Detail(LedgerInfo, ledger_info.info(reader), title="Ledger")

    return query


@app.command("reverse")
@shows_result()
@with_options(LedgerOption, WriteOptions, OutputOptions)
def reverse(
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT",
            help="The id of the event, the adjustment or the payout.",
            autocompletion=ids("adjustment", "payout"),
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What was wrong.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    source: Annotated[
        str, typer.Option("--source", metavar="URI", help="The source of the event.")
    ] = "urn:liveportal:cli",
) -> None:
    """Reverse a tip, adjustment or payout.

    Use it for an entry that was recorded by mistake. The opposite entry is booked, and both stay
    visible. It asks first. To correct a session, use `liveportal sessions correct`.

    Example: liveportal ledger reverse PO-3 --reason "entered twice"
    """
    from liveportal.cli.commands.ledger.answers import entry_of, reversed_
    from liveportal.cli.write_command import run_write
    from liveportal.cli.write_result import Answer
    from liveportal.domain.events.types import EntryReversed, EventRef

    def reverse_event(writer: Writer) -> AnyRow:
        origin, event_id = ledger_info.reversible(writer.reader, event, source)
        mistaken = ledger_info.event_of(writer.reader, origin, event_id)
        writer.ask(f"Reverse {entry_of(mistaken.data)} ({reason})? Both entries stay visible.")
        data = EntryReversed(event=EventRef(source=origin, id=event_id), reason=reason)
        return writer.record(data, event_id, answer=Answer(facts=lambda *_: mistaken))

    run_write(reverse_event, Answer(sentence=reversed_), ledger, write, out)


app.place("backup", "liveportal.cli.commands.ledger.backup")
app.place("restore", "liveportal.cli.commands.ledger.restore")
app.group("export", "liveportal.cli.commands.ledger.export", "Write the ledger's events to a file.")
app.place("import", "liveportal.cli.commands.ledger.import_file", "import_")
app.place("forget", "liveportal.cli.commands.ledger.forget")
