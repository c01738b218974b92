"""What the five tabs share: a query, a way to show its answer, and commands for their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.containers import Vertical

from liveportal.cli.commands.front_page import argument
from liveportal.cli.io.terminal import detail_lines
from liveportal.cli.io.text_tables import View, draw_table
from liveportal.cli.io.view_model import Detail, Table
from liveportal.domain.clock import zone as zone_of
from liveportal.tui.lists import Lines
from liveportal.tui.looks import Look, Query
from liveportal.tui.words import Shade

if TYPE_CHECKING:
    from liveportal.ledger.queries.reader import Reader


class Tab(Vertical):
    """One tab. `title` is its name; the short one is for terminals below 100 columns."""

    title: ClassVar[str]
    short_title: ClassVar[str]
    steps: ClassVar[Mapping[str, str]] = {}
    """The shell command of each step that the portal does not record yet; {id} is the selection."""

    def asks(self) -> Query:
        """Return what the tab reads; it is called in a thread, so it must not use the tab."""
        return nothing

    def show(self, look: Look, shade: Shade) -> None:
        """Show what a look saw."""

    def reshade(self, shade: Shade) -> None:
        """Show the same at another time, or with amounts hidden or shown."""

    def tick(self, shade: Shade) -> None:
        """Show what changes every second; by default nothing does."""

    def count(self, look: Look) -> str:
        """Return what the tab's title counts, such as `(4)`."""
        del look
        return ""

    @property
    def selected(self) -> str | None:
        """The id that `y` copies and that the steps are about."""
        return None

    def command(self, step: str) -> str | None:
        """Return the shell command of a step; None if it does not apply here and now."""
        template, name = self.steps.get(step), self.selected
        if template is None or ("{id}" in template and name is None):
            return None
        return template.format(id=argument(name or ""))


def nothing(_reader: Reader, _now: datetime) -> None:
    """Read no more than the front page."""


def detail_page(item: Detail, shade: Shade, fields: Sequence[str] | None = None) -> Lines:
    """Return a page that shows a result as a terminal does."""

    def draw(width: int) -> list[Text]:
        lines, _ = detail_lines(item, fields or item.human or item.columns, _view(shade, width))
        return lines

    return draw


def table_page(table: Table, shade: Shade) -> Lines:
    """Return a page that shows a table as a terminal does, under its title."""
    rows: list[Any] = list(table.rows)

    def draw(width: int) -> list[Text]:
        lines = [Text(), Text(table.title or "", style="bold")]
        if not rows:
            return [*lines, Text(table.empty)]
        drawn = draw_table(table.human or table.columns, rows, _view(shade, width))
        return [*lines, *drawn.heading, *(line for row in drawn.rows for line in row)]

    return draw


def _view(shade: Shade, width: int) -> View:
    return View(shade.now, zone_of(shade.zone), width)
