"""`liveportal ledger forget`: a customer's personal data goes, facts and money stay.

`liveportal.cli.commands.ledger` adds this command to its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.io.render import hint
from liveportal.cli.io.view_model import HumanValue, Row
from liveportal.cli.options import LedgerOption, OutputOptions, WriteOptions, with_options
from liveportal.cli.write_command import open_writer, show_result

if TYPE_CHECKING:
    from liveportal.ledger.erasure.service import ErasureResult

FIELDS = ("events", "messages", "files", "copies", "log_emptied", "left")

ELSEWHERE = (
    "What was written to files elsewhere is not known to the ledger: evidence packs, statements,"
    " -o FILE, feeds, copies and backups that you made yourself. Delete what is of the customer."
)


@with_options(LedgerOption, WriteOptions, OutputOptions)
def forget(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
) -> None:
    """Erase a customer's personal data; facts and money stay, and stay proven. Asks first.

    Names, texts, messages and files of the customer go from the ledger, its log, its free pages,
    the vault, and the copies beside the ledger. What is left for you to see to is told.

    Examples:
      liveportal ledger forget C-17 --dry-run
      liveportal ledger forget C-17 --yes
    """
    with open_writer(ledger, write, out, FIELDS) as writer:
        name = writer.portal.resolve_id("customer", customer)
        writer.ask(f"Erase all personal data of customer {name}, for ever?")
        outcome, done = writer.portal.forget(name, at=writer.at, key=write.key, allow=writer.allows)
        row = writer.result(outcome, name, _shown(done))
        zone = writer.zone
    show_result(row, FIELDS, out, zone=zone)
    if not done.rewritten:
        hint("Another program reads the ledger: when it has ended, run this again.")


def _shown(done: ErasureResult) -> Row:
    left: list[dict[str, str | None]] = [
        {"what": each.what, "path": each.path, "hint": each.hint} for each in done.left
    ]
    left.append({"what": "elsewhere", "path": None, "hint": ELSEWHERE})
    return {
        "events": done.events,
        "messages": done.messages,
        "files": done.files,
        "copies": done.copies,
        "log_emptied": done.rewritten,
        "left": HumanValue(left, lambda _now, _zone: list(_told(left))),
    }


def _told(left: Sequence[Mapping[str, str | None]]) -> Iterator[str]:
    for each in left:
        yield f"{each['path']}: {each['hint']}" if each["path"] else str(each["hint"])
