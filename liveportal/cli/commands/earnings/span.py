"""Which months are asked for, the same for all that `liveportal earnings` shows."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from liveportal.cli.parse.times import read_month, utc_now
from liveportal.domain.clock import local_date
from liveportal.ledger.queries.earnings import FIRST, LAST
from liveportal.ledger.queries.reader import Reader

MONTH_HELP = "2026-10, oct, last or this."
OneMonth = Annotated[str | None, typer.Option("--month", metavar="MONTH", help=MONTH_HELP)]
First = Annotated[str | None, typer.Option("--from", metavar="MONTH", help="The first month.")]
Last = Annotated[str | None, typer.Option("--to", metavar="MONTH", help="The last month.")]
Year = Annotated[
    int | None, typer.Option("--year", min=1970, max=9999, metavar="YEAR", help="A whole year.")
]


class Span(NamedTuple):
    """Months from the first to the last, and what they are called together."""

    name: str
    first: str
    last: str


def month_asked(reader: Reader, text: str) -> str:
    """Read a month; raises `InvalidMonth`."""
    return read_month(text, local_date(utc_now(), reader.timezone))


def span_asked(
    reader: Reader,
    month: str | None,
    first: str | None,
    last: str | None,
    year: int | None,
    *,
    default: str | None = None,
) -> Span:
    """Return the months asked for; where nothing is, the default month, or else all."""
    if sum(each is not None for each in (month, year, first or last)) > 1:
        raise typer.BadParameter("give one of --month, --year, or --from and --to")
    if year:
        return Span(str(year), f"{year:04d}-01", f"{year:04d}-12")
    if first or last:
        since = month_asked(reader, first) if first else FIRST
        until = month_asked(reader, last) if last else LAST
        return Span(f"{since}/{until}", since, until)
    if asked := month or default:
        name = month_asked(reader, asked)
        return Span(name, name, name)
    return Span("all months", FIRST, LAST)
