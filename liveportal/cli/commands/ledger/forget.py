"""`liveportal ledger forget`: erase a customer's personal data; facts and money stay.

Registered in `liveportal.cli.commands.ledger`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from liveportal.cli.commands.ledger.answers import forgotten
from liveportal.cli.completion import ids
from liveportal.cli.io.answers import with_reason
from liveportal.cli.io.render import hint
from liveportal.cli.io.view_model import HumanValue, shows_result
from liveportal.cli.io.view_model import Row as AnyRow
from liveportal.cli.options import LedgerOption, OutputOptions, WriteOptions, with_options
from liveportal.cli.write_command import Writer, run_write
from liveportal.cli.write_result import Answer
from liveportal.domain.row import Row, row
from liveportal.ledger.queries.recorded import customer_of

if TYPE_CHECKING:
    from liveportal.ledger.erasure.service import ErasureResult


@row
class LeftRow(Row):
    """A place where data of the customer may be left, for the user to check."""

    what: str
    path: str | None
    hint: str


@row
class ForgottenRow(Row):
    """What was erased; a number that an earlier erasure did not keep has no value."""

    events: int
    messages: int | None
    files: int | None
    copies: list[str]
    log_emptied: bool
    left: list[LeftRow]


ELSEWHERE = (
    "Files outside the ledger are not erased. Delete the customer's data there yourself: in"
    " evidence packs, statements, exports, feeds, copies and backups."
)


@shows_result(ForgottenRow)
@with_options(LedgerOption, WriteOptions, OutputOptions)
def forget(
    customer: Annotated[
        str,
        typer.Argument(
            metavar="CUSTOMER", help="The customer's id.", autocompletion=ids("customer")
        ),
    ],
    ledger: LedgerOption,
    write: WriteOptions,
    out: OutputOptions,
) -> None:
    """Erase a customer's personal data.

    It erases the customer's name, text, messages and files from the ledger, from its vault, and
    from the copies beside the ledger. Sessions and amounts stay, and the ledger still verifies. The
    answer names the places where you have to delete data yourself. It asks first.

    Examples:
      liveportal ledger forget C-17 --dry-run
      liveportal ledger forget C-17
    """

    def forget_customer(writer: Writer) -> AnyRow:
        customer_id = writer.portal.resolve_id("customer", customer)
        name = customer_of(writer.reader, customer_id).name
        writer.ask(
            f"Erase all personal data of customer {with_reason(customer_id, name)}? Names, text,"
            " messages and files cannot be restored. Sessions and amounts stay."
        )
        outcome, result = writer.portal.forget(
            customer_id, at=writer.at, key=write.key, allow=writer.allowed
        )
        return writer.result(outcome, customer_id, _result_fields(result))

    result = run_write(
        forget_customer, Answer(ForgottenRow, sentence=forgotten), ledger, write, out
    )
    if not result["log_emptied"]:
        hint("Another program is reading the ledger. When it has ended, run this command again.")


def _result_fields(result: ErasureResult) -> Mapping[str, object]:
    left = [LeftRow(what=trace.what, path=trace.path, hint=trace.hint) for trace in result.left]
    left.append(LeftRow(what="elsewhere", path=None, hint=ELSEWHERE))
    return {
        "events": result.events,
        "messages": result.messages,
        "files": result.files,
        "copies": result.copies,
        "log_emptied": result.rewritten,
        "left": HumanValue(left, lambda _now, _zone: list(_format_left(left))),
    }


def _format_left(left: Sequence[LeftRow]) -> Iterator[str]:
    for trace in left:
        yield f"{trace.path}: {trace.hint}" if trace.path else trace.hint
