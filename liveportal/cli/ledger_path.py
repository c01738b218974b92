"""Which ledger a command is about: `--ledger`, else the variable, else the default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

LEDGER_VARIABLE = "LIVEPORTAL_LEDGER"


def ledgers_above(context: typer.Context, *, typed: bool = False) -> Iterator[Path]:
    """Yield the ledgers given to the groups around a command, the innermost first.

    With `typed`, the value of the variable is left out.
    """
    group = context.parent
    while group is not None:
        source = group.get_parameter_source("ledger")
        is_variable = source is not None and source.name == "ENVIRONMENT"
        if (path := group.params.get("ledger")) and not (typed and is_variable):
            yield Path(path)  # Typer converts only when it calls a function.
        group = group.parent


def default_ledger() -> Path:
    """Return the default path of the ledger."""
    from platformdirs import user_data_path  # Takes as long as half a read; rarely needed.

    return user_data_path("liveportal", appauthor=False) / "ledger.db"
