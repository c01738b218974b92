"""`liveportal ledger`: the file itself."""

from __future__ import annotations

from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.looking import windows, zone_of
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.cli.outputs import check_target
from liveportal.cli.render import render
from liveportal.cli.results import Item
from liveportal.ledger.queries import ledger_info as seen

app = Commands(
    "The ledger itself: path, info, verify, backup, restore, export, import, reverse, forget."
)
app.place("verify", "liveportal.cli.ledger_verify")


@app.command("path")
@with_options(LedgerOption, OutputOptions)
def path(ledger: LedgerOption, out: OutputOptions) -> None:
    """Print where the ledger is, or would be.

    Example: sqlite3 -readonly "$(liveportal ledger path)" 'SELECT count(*) FROM event'
    """
    check_target(out.output, ledger.files)
    row = {"path": str(ledger.path), "exists": ledger.path.is_file()}
    shown = ("path",) if not (out.json or out.jsonl or out.columns) else ("path", "exists")
    render(Item(shown, row), out)


@app.command("info")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def info(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show what the ledger holds: events, transactions, policy, zone, and the journal's head.

    Example: liveportal ledger info --json
    """
    with windows(ledger, read, out) as reader:
        row = seen.info(reader)
        zone = zone_of(reader, read)
    render(Item(seen.INFO_FIELDS, row, title="Ledger"), out, zone=zone)


@app.command("reverse")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def reverse(
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT", help="An event's id, or that of an adjustment or a payout."
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it was wrong.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
    source: Annotated[
        str, typer.Option("--source", metavar="URI", help="Its source; default: this program.")
    ] = "urn:liveportal:cli",
) -> None:
    """Reverse a tip, adjustment or payout that was entered by mistake. Asks first.

    The exact inverse is booked, once; both stay visible.

    Example: liveportal ledger reverse 0199f0a2-… --reason "entered twice" --yes
    """
    from liveportal.cli.acting import show_result, writing
    from liveportal.domain.events.types import EntryReversed, EventRef

    with writing(ledger, write, out) as writer:
        ref = seen.reversible(writer.reader, event, source)
        writer.ask(f"Reverse event {ref[1]}?")
        data = EntryReversed(event=EventRef(source=ref[0], id=ref[1]), reason=reason)
        row = writer.record(data, ref[1])
        zone = writer.zone
    show_result(row, (), out, zone=zone)


app.place("backup", "liveportal.cli.ledger_backup")
app.place("restore", "liveportal.cli.ledger_backup")
app.group("export", "liveportal.cli.ledger_export", "Write the journal to a file.")
app.place("import", "liveportal.cli.ledger_import", "import_")
app.place("forget", "liveportal.cli.ledger_forget")
