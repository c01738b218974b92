"""What the commands that only read have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from liveportal.cli.io.output_file import check_target
from liveportal.cli.options import LedgerOption, OutputOptions, ReadOptions
from liveportal.cli.parse.times import utc_now
from liveportal.ledger.opening import open_readonly
from liveportal.ledger.queries.reader import Reader

States = Annotated[
    list[str] | None,
    typer.Option("--state", metavar="STATE", help="Only those in this state; may be repeated."),
]


@contextmanager
def open_reader(ledger: LedgerOption, read: ReadOptions, out: OutputOptions) -> Iterator[Reader]:
    """Open the ledger's windows, as `--as-known` says; the output must not be the ledger."""
    check_target(out.output, ledger.files)
    with open_readonly(ledger.path) as reader:
        until = read.known_at(reader.own_timezone, utc_now())
        if until is None:
            yield reader
            return
    with open_readonly(ledger.path, as_known=until) as reader:
        yield reader


def reference_time(reader: Reader) -> datetime:
    """Return the instant from which ages and deadlines count: now, or that of `--as-known`."""
    now = utc_now()
    return min(reader.as_of, now) if reader.as_of else now


def display_zone(reader: Reader, read: ReadOptions) -> str:
    """Return the zone in which a terminal shows times: `--timezone`, or else the expert's own."""
    return read.timezone or reader.own_timezone


def checked_states(given: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the states that were asked for; ends with a usage error for one that there is not."""
    asked = tuple(each for text in given or () for each in text.split(","))
    for state in asked:
        if state not in known:
            raise typer.BadParameter(
                f"{state!r} is not a state. The states are: {', '.join(known)}.",
                param_hint="--state",
            )
    return asked
