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
from liveportal.cli.render import Item, render
from liveportal.ledger.windows import books as seen

app = Commands("The ledger itself: path, info, verify, reverse.")


@app.command("path")
@with_options(LedgerOption, OutputOptions)
def path(ledger: LedgerOption, out: OutputOptions) -> None:
    """Print where the ledger is, or would be.

    Example: sqlite3 -readonly "$(liveportal ledger path)" 'SELECT count(*) FROM event'
    """
    row = {"path": str(ledger.path), "exists": ledger.path.is_file()}
    shown = ("path",) if not (out.json or out.jsonl or out.columns) else ("path", "exists")
    render(Item(shown, row), out)


@app.command("info")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def info(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> None:
    """Show what the ledger holds: events, transactions, policy, zone, and the journal's head.

    Example: liveportal ledger info --json
    """
    with windows(ledger, read) as reader:
        row = seen.info(reader)
        zone = zone_of(reader, read)
    render(Item(seen.INFO_FIELDS, row, title="Ledger"), out, zone=zone)


@app.command("verify")
@with_options(LedgerOption, OutputOptions)
def verify(ledger: LedgerOption, out: OutputOptions) -> None:
    """Verify that the ledger is what was written: chain, digests, sums, a rebuild; exit 6 if not.

    Example: liveportal ledger verify
    """
    from liveportal.ledger.reader import reading
    from liveportal.ledger.verify import verify as verified

    with reading(ledger.path) as reader:
        found = verified(reader.db)
    row = {
        "ok": True,
        "events": found.events,
        "transactions": found.transactions,
        "head": found.head,
    }
    render(Item(("ok", "events", "transactions", "head"), row, title="Verified"), out)


@app.command("reverse")
@with_options(LedgerOption, WriteOptions, OutputOptions)
def reverse(
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT", help="The id of the event, as results and history name it."
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
    from liveportal.cli.acting import one_row, recorded
    from liveportal.cli.confirm import confirm
    from liveportal.domain.events import EntryReversed, EventRef
    from liveportal.portal import Portal

    with Portal.open(ledger.path, dry_run=write.dry_run) as portal:
        zone = portal.reader().own_timezone
        confirm(f"Reverse event {event}?", yes=write.yes, dry_run=write.dry_run)
        data = EntryReversed(event=EventRef(source=source, id=event), reason=reason)
        row = recorded(portal, data, event, write, key=write.key)
    one_row(row, (), out, zone=zone)
