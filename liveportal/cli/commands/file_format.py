"""The options of `sync` for feeds of other tools: documents, and tables that are read whole."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from liveportal.cli.commands.feed_format import FORMAT_PANEL, FormatOptions, option_of
from liveportal.cli.commands.mappings import mapping_names
from liveportal.cli.completion import choices, zones
from liveportal.domain.frozen import frozen, replace
from liveportal.feeds.adapters import ADAPTERS, FORMATS, MAPPED, TABLE_ADAPTERS
from liveportal.tables.dates import ORDERS

if TYPE_CHECKING:
    from liveportal.portal import Portal
    from liveportal.services.adapting import FeedFormat

_OF_TABLES = ("mapping", "dates", "timezone")
_OF_DOCUMENTS = ("trust_schedule", "hop", "sessions", "secret_file")


@frozen
class FileFormatOptions(FormatOptions):
    """The same for files that are read whole: tables, too, such as a time tracker's export."""

    formats: ClassVar[Collection[str]] = FORMATS

    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"Read what another tool sends or exports: {', '.join(FORMATS)}.",
            autocompletion=choices(FORMATS),
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = None
    mapping: Annotated[
        str | None,
        typer.Option(
            "--mapping",
            metavar="NAME|FILE",
            help="For --format csv: what the columns are; a TOML file, or the name of one.",
            autocompletion=mapping_names("hours"),
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = None
    dates: Annotated[
        str | None,
        typer.Option(
            "--dates",
            metavar="ORDER",
            help="For a table: the order of dates that can be read in two: dmy, mdy or ymd.",
            autocompletion=choices(ORDERS),
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = None
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone",
            metavar="ZONE",
            help="For a table: the zone of times that do not state one; default: yours.",
            autocompletion=zones,
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = None

    def check(self) -> None:
        """Raise a usage error for options that do not go together."""
        FormatOptions.check(self)
        is_table = self.format in TABLE_ADAPTERS
        for name in _OF_TABLES if not is_table else _OF_DOCUMENTS:
            if getattr(self, name):
                kind = "documents" if is_table else "tables"
                others = ADAPTERS if is_table else TABLE_ADAPTERS
                raise typer.BadParameter(
                    f"is only for {kind}: {', '.join(others)}.", param_hint=option_of(name)
                )
        if self.format == MAPPED and self.mapping is None:
            raise typer.BadParameter(
                "--format csv needs it. `liveportal sync FILE --mapping-help` prints one.",
                param_hint="--mapping",
            )
        if self.mapping is not None and self.format != MAPPED:
            raise typer.BadParameter("needs --format csv.", param_hint="--mapping")
        if self.dates is not None and self.dates not in ORDERS:
            raise typer.BadParameter(
                f"{self.dates!r} is not one of: {', '.join(ORDERS)}.", param_hint="--dates"
            )

    def feed_format(self, portal: Portal) -> FeedFormat | None:
        """Return the format, None for the program's own; raises what reading its files raises."""
        found = FormatOptions.feed_format(self, portal)
        if found is None or self.format not in TABLE_ADAPTERS:
            return found
        from liveportal.cli.settings import read_settings

        return replace(
            found,
            mapping=self.mapping,
            mappings=read_settings().table("reconcile.mappings"),
            dates=self.dates,
            timezone=self.timezone,
        )
