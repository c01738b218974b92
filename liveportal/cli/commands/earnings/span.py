"""The options that choose months, shared by the commands of `liveportal earnings`."""

from __future__ import annotations

from typing import Annotated, ClassVar, NamedTuple

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.completion import months, years
from liveportal.cli.options import Options
from liveportal.cli.parse.times import read_month
from liveportal.domain.clock import local_date
from liveportal.domain.frozen import frozen
from liveportal.ledger.queries.earnings import FIRST, LAST
from liveportal.ledger.queries.reader import Reader

MONTH_HELP = "The month: 2026-10, oct, last or this."


class Span(NamedTuple):
    """The months from the first to the last, and the name of the span."""

    name: str
    first: str
    last: str


@frozen
class FromTo(Options):
    """The months from the first to the last."""

    comes_first: ClassVar[bool] = True

    first: Annotated[
        str | None,
        typer.Option("--from", metavar="MONTH", help="The first month.", autocompletion=months),
    ] = None
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="MONTH", help="The last month.", autocompletion=months),
    ] = None

    @property
    def is_given(self) -> bool:
        """True if the months are limited."""
        return bool(self.first or self.last)

    def span(self, reader: Reader) -> Span:
        """Return the requested months; without options, all months."""
        if not self.is_given:
            return Span("all months", FIRST, LAST)
        since = parse_month(reader, self.first) if self.first else FIRST
        until = parse_month(reader, self.last) if self.last else LAST
        return Span(f"{since}/{until}", since, until)


@frozen
class Months(FromTo):
    """Several months, or a year."""

    year: Annotated[
        int | None,
        typer.Option(
            "--year",
            min=1970,
            max=9999,
            metavar="YEAR",
            help="A whole year, such as 2026.",
            autocompletion=years,
        ),
    ] = None

    def span(self, reader: Reader) -> Span:
        """Return the requested months; without options, all months."""
        _check_single(self.year, self.first or self.last)
        if self.year:
            return Span(str(self.year), f"{self.year:04d}-01", f"{self.year:04d}-12")
        return super().span(reader)


@frozen
class OneMonth(Options):
    """A single month."""

    month: Annotated[
        str | None,
        typer.Option("--month", metavar="MONTH", help=MONTH_HELP, autocompletion=months),
    ] = None


@frozen
class AnyMonths(Months, OneMonth):
    """A month, several, or a year."""

    def span(self, reader: Reader, *, default: str | None = None) -> Span:
        """Return the requested months; without options, the default month or else all months."""
        _check_single(self.month, self.year, self.first or self.last)
        text = self.month or (None if self.year or self.is_given else default)
        if not text:
            return super().span(reader)
        name = parse_month(reader, text)
        return Span(name, name, name)


def _check_single(*given: object) -> None:
    if sum(option is not None for option in given) > 1:
        raise typer.BadParameter("Give only one of --month, --year, or --from with --to.")


def parse_month(reader: Reader, text: str) -> str:
    """Parse a month; raises `InvalidMonth`."""
    return read_month(text, local_date(utc_now(), reader.timezone))
