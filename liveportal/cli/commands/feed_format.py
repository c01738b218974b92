"""The options for feeds of other tools, shared by `sync` and `requests watch`."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from liveportal.cli.completion import choices
from liveportal.cli.options import Options
from liveportal.cli.parse.hops import check_hop
from liveportal.domain.errors import InvalidValue, UnreadableFile
from liveportal.domain.frozen import frozen
from liveportal.domain.hops import HOPS
from liveportal.feeds.adapters import ADAPTERS, FORMATS
from liveportal.ledger.storage.ledger_paths import check_input

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
            help="The rate per minute, if the feed has none (default: your direct rate).",
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = None
    trust_schedule: Annotated[
        bool,
        typer.Option(
            "--trust-schedule",
            help="Treat a meeting's planned start and end as the real ones.",
            rich_help_panel=FORMAT_PANEL,
        ),
    ] = False
    hop: Annotated[
        str | None,
        typer.Option(
            "--hop",
            metavar="HOP",
            help="The Stripe movement that is the platform's payout: payout or transfer.",
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
                    raise typer.BadParameter("needs --format.", param_hint=option_of(name))
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


def option_of(name: str) -> str:
    """Return the option of a field."""
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
