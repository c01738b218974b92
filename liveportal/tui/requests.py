"""New Requests: the open requests by the time that is left, and the chosen one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from liveportal.cli.commands.requests.busy import own_calendar
from liveportal.cli.commands.requests.list_show import request_detail
from liveportal.cli.io.text import format_length
from liveportal.cli.io.view_model import Detail
from liveportal.domain.entities import RequestState
from liveportal.domain.errors import UnknownEntity
from liveportal.domain.frozen import replace
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.request_filter import RequestFilter
from liveportal.ledger.queries.requests import RequestRow, requests
from liveportal.tui.lists import Column, List, Page
from liveportal.tui.looks import Look, Query
from liveportal.tui.tabs import Tab, detail_page
from liveportal.tui.words import Shade, one_line

if TYPE_CHECKING:
    from textual.app import ComposeResult


def _left(row: RequestRow, shade: Shade) -> str:
    return format_length(row.expires - shade.now) if row.expires else "-"


def _notes(row: RequestRow) -> str:
    notes = [
        "direct" if row.direct else "",
        f"{len(row.slots)} slots" if len(row.slots) > 1 else "",
        "below your rate" if row.above_minimum is False else "",
        "your skills" if row.matched_skills else "",
        "not your skills" if not row.matches and row.above_minimum is not False else "",
        "clashes" if row.conflicts else "",
    ]
    return ", ".join(filter(None, notes))


COLUMNS = (
    Column("kind", lambda row, _: row.kind, rank=3),
    Column("left", _left, rank=2, is_number=True),
    Column("customer", lambda row, _: one_line(row.customer_name or row.customer_id), is_text=True),
    Column("title", lambda row, _: one_line(row.title), is_text=True),
    Column("a minute", lambda row, _: str(row.rate), rank=1, is_number=True),
    Column("earns", lambda row, _: str(row.earns or ""), is_number=True),
    Column("notes", lambda row, _: one_line(_notes(row)), rank=4, is_text=True),
)


SHOWN = (
    *("description", "slots", "skills", "matched_skills", "customer.name", "customer.timezone"),
    *("customer.language", "helped", "customer_rating", "rate", "minimum", "earns", "conflicts"),
    *("direct", "matches", "expires", "history"),
)
"""What helps to decide comes first; the title is above it."""


class Requests(Tab):
    """The open requests."""

    title, short_title = "New Requests", "Requests"
    steps: ClassVar[Mapping[str, str]] = {
        "accept": "liveportal requests accept {id}",
        "decline": "liveportal requests decline {id}",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "app.step('accept')", "Accept"),
        Binding("x", "app.step('decline')", "Decline"),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the list and the request beside it, or below on a narrow terminal."""
        yield List(
            COLUMNS, lambda row: str(row.id), "No open requests. New ones appear by themselves."
        )
        yield Page()

    def asks(self) -> Query:
        """Read the chosen request, or else the first one."""
        row = self.query_one(List).row
        return partial(_read, row.id) if row else _read_first

    def show(self, look: Look, shade: Shade) -> None:
        """Show the requests, and the one that was read."""
        self.query_one(List).show(look.page.requests, shade)
        page = self.query_one(Page)
        if isinstance(look.answer, Detail):
            page.show(detail_page(look.answer, shade, SHOWN), shade)
        else:
            page.show(lambda _width: (), shade)

    def reshade(self, shade: Shade) -> None:
        """Count down the time that is left."""
        self.query_one(List).reshade(shade)
        self.query_one(Page).reshade(shade)

    def count(self, look: Look) -> str:
        """Count the open requests."""
        return f"({len(look.page.requests)})"

    @property
    def selected(self) -> str | None:
        """The request at the cursor."""
        row = self.query_one(List).row
        return row.id if row else None


def _read(name: str, reader: Reader, now: datetime) -> Detail | None:
    try:
        row, page = request_detail(reader, name, now, own_calendar())
    except UnknownEntity:  # Another ledger was restored meanwhile.
        return _read_first(reader, now)
    if row.state != RequestState.OPEN:  # It was answered meanwhile.
        return _read_first(reader, now)
    return replace(page, title=f"{row.id}  {one_line(row.title)}")


def _read_first(reader: Reader, now: datetime) -> Detail | None:
    rows = requests(reader, now, RequestFilter(states=(RequestState.OPEN,), sort="left"))
    return _read(rows[0].id, reader, now) if rows else None
