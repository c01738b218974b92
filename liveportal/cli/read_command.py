"""Shared code of the commands that only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.completion import choices
from liveportal.cli.io.output_file import check_target
from liveportal.cli.io.render import for_person, render, use_ledger
from liveportal.cli.io.view_model import Detail, RowClass, Table, shows
from liveportal.cli.options import DerivedCommand, LedgerOption, OutputOptions, ReadOptions
from liveportal.domain.frozen import replace
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader

Result = TypeVar("Result", bound=Table | Detail)


def state_option(known: tuple[str, ...]) -> Any:  # noqa: ANN401 -- As typer.Option does.
    """Return the option `--state` of a list; its values are the `known` states."""
    return typer.Option(
        "--state",
        metavar="STATE",
        help="Show only this state; repeatable.",
        autocompletion=choices(known, listed=True),
    )


Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="Show at most N.")]


@contextmanager
def open_reader(
    ledger: LedgerOption, read: ReadOptions, out: OutputOptions, *, only_money: bool = False
) -> Iterator[Reader]:
    """Open the ledger for queries, as of `--as-known`; refuses the ledger as the output file.

    `only_money` is for queries that ask for no state of anything: they are quick in a long book.
    """
    check_target(out.output, ledger.files)
    use_ledger(ledger.path)
    with open_readonly(ledger.path) as reader:
        until = read.known_at(reader.own_timezone, utc_now())
        if until is None:
            yield reader
            return
    with open_readonly(ledger.path, as_known=until, only_money=only_money) as reader:
        yield reader


Query = Callable[[Reader], Table | Detail]


def reads(*rows: RowClass, many: bool = False) -> Callable[[Callable[..., Query]], DerivedCommand]:
    """Make a command of a function that takes its own options and returns the query to show.

    `rows` and `many` declare what is shown, as `shows` does. The options of all reads are added.
    """

    def decorate(query: Callable[..., Query]) -> DerivedCommand:
        def run(
            *,
            ledger: LedgerOption,
            read: ReadOptions,
            out: OutputOptions,
            **own: Any,  # noqa: ANN401 -- The options of the function.
        ) -> None:
            run_read(query(**own), ledger, read, out)

        groups = {"ledger": LedgerOption, "read": ReadOptions, "out": OutputOptions}
        return shows(*rows, many=many)(DerivedCommand(query, run, {}, **groups))

    return decorate


def run_read(
    query: Callable[[Reader], Result],
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    *,
    only_money: bool = False,
) -> Result:
    """Open the ledger, query a table or a single result, close it and show the result.

    Also returns the result. Times are shown in `--timezone`, or else in the expert's own zone.
    """
    with open_reader(ledger, read, out, only_money=only_money) as reader:
        result, zone = query(reader), display_zone(reader, read)
        if isinstance(result, Table) and isinstance(result.rows, Iterator):
            if not for_person(out):
                render(result, out)  # As the rows come: the ledger is not locked meanwhile.
                return result
            result = replace(result, rows=list(result.rows))
    render(result, out, zone=zone)
    return result


def reference_time(reader: Reader) -> datetime:
    """Return the instant from which ages and deadlines count (UTC): now, or `--as-known`."""
    now = utc_now()
    return min(reader.as_of, now) if reader.as_of else now


def display_zone(reader: Reader, read: ReadOptions) -> str:
    """Return the zone of times on a terminal: `--timezone`, or else the expert's own."""
    return read.timezone or reader.own_timezone


def parse_states(given: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """Split the values of `--state` at commas; a state that is not `known` is a usage error."""
    states = tuple(state for text in given or () for state in text.split(","))
    for state in states:
        if state not in known:
            raise typer.BadParameter(
                f"{state!r} is not a state. The states are: {', '.join(known)}.",
                param_hint="--state",
            )
    return states
