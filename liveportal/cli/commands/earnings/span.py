"""The options that choose months, shared by the commands of `liveportal earnings`."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from liveportal.cli.clock import utc_now
from liveportal.cli.completion import months, years
from liveportal.cli.parse.times import read_month
from liveportal.domain.clock import local_date
from liveportal.ledger.queries.earnings import FIRST, LAST
from liveportal.ledger.queries.reader import Reader

MONTH_HELP = "2026-10, oct, last or this."
OneMonth = Annotated[
    str | None, typer.Option("--month", metavar="MONTH", help=MONTH_HELP, autocompletion=months)
]
First = Annotated[
    str | None,
    typer.Option("--from", metavar="MONTH", help="The first month.", autocompletion=months),
]
Last = Annotated[
    str | None, typer.Option("--to", metavar="MONTH", help="The last month.", autocompletion=months)
]
Year = Annotated[
    int | None,
    typer.Option(
        "--year", min=1970, max=9999, metavar="YEAR", help="A whole year.", autocompletion=years
    ),
]


class Span(NamedTuple):
    """The months from the first to the last, and the name of the span."""

    name: str
    first: str
    last: str


def parse_month(reader: Reader, text: str) -> str:
    """Parse a month; raises `InvalidMonth`."""
    return read_month(text, local_date(utc_now(), reader.timezone))


def parse_span(
    reader: Reader,
    month: str | None,
    first: str | None,
    last: str | None,
    year: int | None,
    *,
    default: str | None = None,
) -> Span:
    """Return the requested months; without options, the default month or else all months."""
    if sum(option is not None for option in (month, year, first or last)) > 1:
        raise typer.BadParameter("give one of --month, --year, or --from and --to")
    if year:
        return Span(str(year), f"{year:04d}-01", f"{year:04d}-12")
    if first or last:
        since = parse_month(reader, first) if first else FIRST
        until = parse_month(reader, last) if last else LAST
        return Span(f"{since}/{until}", since, until)
    if text := month or default:
        name = parse_month(reader, text)
        return Span(name, name, name)
    return Span("all months", FIRST, LAST)
