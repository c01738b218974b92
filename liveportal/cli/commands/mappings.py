"""Mappings on the command line, for statements and time trackers alike."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from liveportal.cli.completion import Completer
from liveportal.cli.io.output_file import open_output


def mapping_names(rows: str) -> Completer:
    """Complete the mappings for a kind of rows: those of the settings, then the shipped ones."""

    @Completer
    def complete(_context: typer.Context, _incomplete: str) -> Iterable[str]:
        from liveportal.cli.settings import read_settings
        from liveportal.tables.mapping import shipped

        own = read_settings().table("reconcile.mappings")
        return [*own, *(each.name for each in shipped(rows))]

    return complete


def print_template(file: Path, rows: str) -> None:
    """Print a mapping to fill in, made from the header of a file."""
    from liveportal.tables.files import opened
    from liveportal.tables.mapping_template import template

    with opened([file]) as (source,), open_output(None) as stream:
        stream.write(template(source, rows))
