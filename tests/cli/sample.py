"""A command module as an author writes one, for tests of the shared command machinery."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from liveportal.cli.app import Commands
from liveportal.cli.io.render import hint, render
from liveportal.cli.io.view_model import Detail, Table
from liveportal.cli.options import (
    LedgerOption,
    OutputOptions,
    ReadOptions,
    WriteOptions,
    with_options,
)
from liveportal.domain.errors import DoubleBooking, WrongState
from liveportal.domain.money import Money

app = Commands("Samples, [bold] and plain.", default="summary")
inner = Commands("Things within.")
app.add_typer(inner, name="within")

FAILURES: dict[str, Exception] = {
    "refused": WrongState(
        "It is \x1b[31mended.",
        hint="Look at it.",
        state="ended",
        since=datetime(2026, 10, 5, tzinfo=UTC),
        odd={1},
    ),
    "caution": DoubleBooking("It overlaps S-2."),
    "bug": ZeroDivisionError("secret"),
    "interrupt": KeyboardInterrupt(),  # type: ignore[dict-item]
    "abort": typer.Abort(),
    "exit": typer.Exit(4),
    "pipe": BrokenPipeError(32, "Broken pipe"),
    "disk": OSError(28, "No space left on device"),
    "file": FileNotFoundError(2, "No such file", "nowhere"),
}


@app.command("summary")
@with_options(LedgerOption, ReadOptions, OutputOptions)
def summary(
    ledger: LedgerOption,
    read: ReadOptions,
    out: OutputOptions,
    month: Annotated[str, typer.Option("--month", help="The month [such as oct].")] = "2026-10",
) -> None:
    """Sum up a month.

    Examples:
      liveportal sample --month oct
      liveportal sample --json
    """
    row = {
        "month": month,
        "ledger": ledger.path,
        "as_known": read.as_known,
        "balance": {"owed": Money(-5, "USD"), "held": Money(0, "USD")},
    }
    render(Detail(("month", "ledger", "as_known", "balance.owed", "balance.held"), row), out)
    hint("Try sample rows.")


@app.command("rows")
@with_options(LedgerOption, OutputOptions)
def rows(ledger: LedgerOption, out: OutputOptions, count: int = 3) -> None:
    """List rows."""
    found = [{"id": f"R-{n}", "path": ledger.path, "memo": "=1+1"} for n in range(count)]
    render(Table(("id", "path", "memo"), found, empty="No rows."), out)


@app.command("write")
@with_options(ReadOptions, WriteOptions, OutputOptions)
def write(read: ReadOptions, write: WriteOptions, out: OutputOptions) -> None:
    """Record something."""
    now = datetime(2026, 10, 9, 10, tzinfo=UTC)
    row = {
        "known_at": read.known_at("Europe/Paris", now),
        "at": write.happened_at("Europe/Paris", now),
        "key": write.key,
        "dry_run": write.dry_run,
        "yes": write.yes,
        "same_zone": read.timezone == write.timezone,
    }
    render(Detail(tuple(row), row), out)


@app.command("fail")
@with_options(OutputOptions)
def fail(out: OutputOptions, how: Annotated[str, typer.Argument()]) -> None:  # noqa: ARG001
    """Fail in some way."""
    raise FAILURES[how]


@app.command("secret", hidden=True)
def secret() -> None:
    """Do what no help page lists."""
    sys.stdout.write("hush\n")


@inner.command("deep")
@with_options(LedgerOption, OutputOptions)
def deep(ledger: LedgerOption, out: OutputOptions) -> None:
    """Go deep."""
    render(Detail(("path",), {"path": ledger.path}), out)
