"""The options for feeds of other tools, shared by `sync` and `requests watch`."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from liveportal.cli.commands.mappings import mapping_names
from liveportal.cli.completion import choices, zones
from liveportal.cli.options import Options
from liveportal.cli.parse.hops import check_hop
from liveportal.domain.errors import InvalidValue, UnreadableFile
from liveportal.domain.frozen import frozen, replace
from liveportal.domain.hops import HOPS
from liveportal.feeds.adapters import ADAPTERS, FORMATS, MAPPED, TABLE_ADAPTERS
from liveportal.ledger.storage.ledger_paths import check_input
from liveportal.tables.dates import ORDERS

if TYPE_CHECKING:
    from liveportal.portal import Portal
    from liveportal.services.adapting import FeedFormat

STRIPE = "stripe"
FORMAT_PANEL = "Feeds of other tools"


@frozen
class FormatOptions(Options):
    """The format of a feed that another tool made, and what it does not state."""

    comes_first: ClassVar[bool] = True
    formats: ClassVar[Collection[str]] = ADAPTERS

    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"Read what another tool sends: {', '.join(ADAPTERS)}.",
            autocompletion=choices(ADAPTERS),
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = None
    rate: Annotated[
        str | None,
        typer.Option(
            "--rate",
            metavar="AMOUNT",
            help="The rate per minute, if the feed has none; default: your direct rate.",
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = None
    trust_schedule: Annotated[
        bool,
        typer.Option(
            "--trust-schedule",
            help="Take the planned start and end of a meeting for the real ones.",
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = False
    hop: Annotated[
        str | None,
        typer.Option(
            "--hop",
            metavar="HOP",
            help="Which of Stripe's movements is the platform's payout: payout or transfer.",
            autocompletion=choices(HOPS),
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = None
    sessions: Annotated[
        Path | None,
        typer.Option(
            "--sessions",
            metavar="FILE",
            help="A CSV file of Stripe's charges and their sessions: charge,session.",
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = None
    secret_file: Annotated[
        Path | None,
        typer.Option(
            "--secret-file",
            metavar="FILE",
            help="Check the signature of each captured webhook with the secret in this file.",
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = None

    def check(self) -> None:
        """Raise a usage error for options that do not go together."""
        if self.format is None:
            for name in (each.name for each in fields(self)):
                if getattr(self, name):
                    raise typer.BadParameter("needs --format.", param_hint=_option(name))
            return
        if self.format not in self.formats:
            more = " `sync` reads it." if self.format in FORMATS else ""
            raise typer.BadParameter(
                f"{self.format!r} is not a format here. The formats are:"
                f" {', '.join(self.formats)}.{more}",
                param_hint="--format",
            )
        check_hop(self.hop, is_needed=self.format == STRIPE)

    def feed_format(self, portal: Portal) -> FeedFormat | None:
        """Return the format, None for the program's own; raises what reading its files raises."""
        if self.format is None:
            return None
        from liveportal.cli.io.secrets import read_passphrase
        from liveportal.services.adapting import FeedFormat

        return FeedFormat(
            self.format,
            rate=portal.reader().parse_amount(self.rate) if self.rate else None,
            trust_schedule=self.trust_schedule,
            hop=self.hop,
            sessions=_sessions(self.sessions) if self.sessions else None,
            secret=read_passphrase(self.secret_file).encode() if self.secret_file else None,
        )


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
                    f"is only for {kind}: {', '.join(others)}.", param_hint=_option(name)
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


_OF_TABLES = ("mapping", "dates", "timezone")
_OF_DOCUMENTS = ("trust_schedule", "hop", "sessions", "secret_file")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _sessions(path: Path) -> dict[str, str]:
    """Read the sessions by charge; raises `UnreadableFile` and `InvalidValue`."""
    check_input(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream, strict=True) if row]
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}.", path=str(path)) from None
    except (ValueError, csv.Error):
        raise InvalidValue(f"{path} is not a CSV file in UTF-8.", path=str(path)) from None
    for number, row in enumerate(rows, 1):
        if len(row) != 2:  # noqa: PLR2004 -- A charge and a session.
            raise InvalidValue(
                f"{path}, row {number}: a row is a charge and a session, separated by a comma.",
                path=str(path),
                line=number,
            )
    return {charge.strip(): session.strip() for charge, session in rows}
