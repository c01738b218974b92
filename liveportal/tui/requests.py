"""New Requests: the open requests by the time that is left, and everything about the chosen one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from liveportal.cli.commands.requests.list_show import request_detail
from liveportal.cli.io.view_model import Detail
from liveportal.domain.errors import UnknownEntity
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.requests import RequestRow
from liveportal.tui.lists import Column, List, Page
from liveportal.tui.looks import Look, Query
from liveportal.tui.tabs import Tab, detail_page, nothing
from liveportal.tui.words import Shade, one_line, wait

COLUMNS = (
    Column("", lambda row, _: "now" if row.kind == "instant" else "plan", rank=3),
    Column("left", lambda row, shade: _left(row, shade), rank=2, is_number=True),
    Column("customer", lambda row, _: one_line(row.customer_name or row.customer_id), is_text=True),
    Column("title", lambda row, _: one_line(row.title), is_text=True),
    Column("a minute", lambda row, _: str(row.rate), rank=1, is_number=True),
    Column("earns", lambda row, _: str(row.earns or ""), is_number=True),
    Column("notes", lambda row, _: one_line(_notes(row)), rank=4, is_text=True),
)


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
        yield List(COLUMNS, lambda row: str(row.id), "No open requests. New ones appear by themselves.")
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
            page.show(detail_page(look.answer, shade), shade)
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
        row, page = request_detail(reader, name, now)
    except UnknownEntity:  # Another ledger was restored meanwhile.
        return None
    return page if row.state == "open" else _read_first(reader, now)


def _read_first(reader: Reader, now: datetime) -> Detail | None:
    from liveportal.ledger.queries.request_filter import RequestFilter
    from liveportal.ledger.queries.requests import requests

    rows = requests(reader, now, RequestFilter(states=("open",), sort="left"))
    return request_detail(reader, rows[0].id, now)[1] if rows else nothing(reader, now)


def _left(row: RequestRow, shade: Shade) -> str:
    return wait(row.expires - shade.now) if row.expires else "-"


def _notes(row: RequestRow) -> str:
    notes = [
        "direct" if row.direct else "",
        f"{len(row.slots)} slots" if len(row.slots) > 1 else "",
        "below your rate" if row.above_minimum is False else "",
        "your skills" if row.matched_skills else "not your skills" if row.skills else "",
        "clashes" if row.conflicts else "",
    ]
    return ", ".join(filter(None, notes))
