"""The two widgets of the portal: a list with a cursor, and a page of lines.

Both draw only the lines that the screen shows. Texts are `Text`, never markup.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from liveportal.cli.io import layout
from liveportal.cli.io.text import cut
from liveportal.tui.words import Shade

if TYPE_CHECKING:
    from textual import events

NARROWEST_TEXT = 8
MEASURED = 200
"""Columns are measured on this many rows; rows that are scrolled to can widen them."""
Lines = Callable[[int], Sequence[Text]]
"""Draws a page for a width."""


class Column(NamedTuple):
    """A column of a list. Texts are cut to what is left; numbers, at the right, never are.

    The column with the highest `rank` is the first to be left out.
    """

    heading: str
    cell: Callable[[Any, Shade], str | Text]
    rank: int = 0
    is_number: bool = False
    is_text: bool = False


class List(ScrollView, can_focus=True):
    """Rows under a heading, with a cursor that stays on its row when the rows change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "move(-10_000_000)", show=False),
        Binding("end,G", "move(10_000_000)", show=False),
        Binding("enter", "open", show=False),
    ]

    class Moved(Message):
        """The cursor is on another row."""

    class Opened(Message):
        """The row was chosen by Enter or by a second click."""

    def __init__(self, columns: Sequence[Column], name: Callable[[Any], str], empty: str) -> None:
        super().__init__()
        self.columns = columns
        self.name_of = name
        self.empty = empty
        self.rows: Sequence[Any] = ()
        self.cursor = 0
        self._shade: Shade | None = None
        self._widths: list[int] = []
        self._fitted: dict[str, int] = {}
        self._laid_out_for = 0

    @property
    def row(self) -> Any:  # noqa: ANN401 -- A row of whatever the list shows.
        """The row at the cursor; None if the list is empty."""
        return self.rows[self.cursor] if self.rows else None

    def show(self, rows: Sequence[Any], shade: Shade) -> None:
        """Show these rows; the cursor stays on its row, or else at its place."""
        before = self.name_of(self.row) if self.rows else None
        self.rows, self._shade = rows, shade
        names = (number for number, row in enumerate(rows) if self.name_of(row) == before)
        self.cursor = next(names, min(self.cursor, max(len(rows) - 1, 0)))
        self._widths = []
        self._measure(rows[:MEASURED])
        self._resized()
        if rows and self.name_of(self.row) != before:
            self.post_message(self.Moved())
        self.refresh()

    def reshade(self, shade: Shade) -> None:
        """Show the same rows at another time, or with amounts hidden or shown."""
        self._shade = shade
        self.refresh()

    def _cell(self, column: Column, row: object) -> Text:
        assert self._shade is not None  # noqa: S101 -- Rows come with a shade.
        value = column.cell(row, self._shade)
        return self._shade.hide(value if isinstance(value, Text) else Text(value))

    def _measure(self, rows: Sequence[object]) -> None:
        """Widen the columns for these rows, and lay them out again if one grew."""
        before = self._widths or [0] * len(self.columns)
        self._widths = [
            max(width, *(cell_len(self._cell(column, row).plain) for row in rows), 0)
            for column, width in zip(self.columns, before, strict=True)
        ]
        if self._widths != before:
            self._laid_out_for = 0

    def _lay_out(self, width: int) -> None:
        if width == self._laid_out_for:
            return
        self._laid_out_for = width
        measured = []
        for number, (column, most) in enumerate(zip(self.columns, self._widths, strict=True)):
            heading = cell_len(column.heading)
            least = min(most, NARROWEST_TEXT) if column.is_text else most
            measured.append(
                layout.Column(str(number), column.rank, max(least, heading), most, heading)
            )
        self._fitted = layout.lay_out(measured, width)

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen: the heading, which stays, or a row."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        if not self.rows:
            text = self.empty if y == 0 else ""
            return _strip(Text(f" {cut(text, width - 1)}"), self, width, base)
        first = self.scroll_offset.y
        if y == 0:
            self._measure(self.rows[first : first + self.size.height])
            self._lay_out(width - 2)
            heading = self._joined([Text(column.heading) for column in self.columns])
            return _strip(heading, self, width, base + self.get_component_rich_style("list--head"))
        number = first + y - 1
        if number >= len(self.rows):
            return Strip.blank(width, base)
        self._lay_out(width - 2)
        line = self._joined([self._cell(column, self.rows[number]) for column in self.columns])
        if number == self.cursor:
            line.plain = f"▸{line.plain[1:]}"
            base += self.get_component_rich_style("list--cursor")
        return _strip(line, self, width, base)

    COMPONENT_CLASSES: ClassVar[set[str]] = {"list--head", "list--cursor"}

    def _joined(self, cells: Sequence[Text]) -> Text:
        line = Text(" ")
        for name, width in self._fitted.items():
            column, cell = self.columns[int(name)], cells[int(name)]
            shown = cut(cell.plain, width)
            space = " " * max(width - cell_len(shown), 0)
            text = Text(shown, style=cell.style)
            line.append_text(Text(space) + text if column.is_number else text + Text(space))
            line.append(" " * layout.GAP)
        return line

    def _resized(self) -> None:
        self.virtual_size = Size(0, len(self.rows) + 1)
        self.call_after_refresh(self._keep_in_view)

    def on_resize(self) -> None:
        """Lay the columns out again, and keep the cursor on the screen."""
        self._laid_out_for = 0
        self._resized()

    def _keep_in_view(self) -> None:
        height = max(self.size.height - 1, 1)
        top = self.scroll_offset.y
        if not top <= self.cursor < top + height:
            target = self.cursor if self.cursor < top else self.cursor - height + 1
            self.scroll_to(y=target, animate=False, force=True)

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        target = min(max(self.cursor + by, 0), max(len(self.rows) - 1, 0))
        if target != self.cursor:
            self.cursor = target
            self._keep_in_view()
            self.refresh()
            self.post_message(self.Moved())

    def action_page(self, by: int) -> None:
        """Move the cursor by so many screens."""
        self.action_move(by * max(self.size.height - 2, 1))

    def action_open(self) -> None:
        """Choose the row at the cursor."""
        if self.rows:
            self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to a row; a click on it chooses it."""
        number = self.scroll_offset.y + event.y - 1
        if event.y == 0 or number >= len(self.rows):
            return
        if number == self.cursor:
            self.action_open()
        else:
            self.action_move(number - self.cursor)


class Page(ScrollView, can_focus=True):
    """Lines of text that are drawn for the width of the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", show=False),
        Binding("down,j", "scroll_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown,space", "page_down", show=False),
        Binding("home,g", "scroll_home", show=False),
        Binding("end,G", "scroll_end", show=False),
    ]

    def __init__(self, *, can_focus: bool = True) -> None:
        super().__init__()
        self.can_focus = can_focus
        self._draw: Lines = lambda _width: ()
        self._shade: Shade | None = None
        self._drawn: Sequence[Text] = ()

    def show(self, draw: Lines, shade: Shade) -> None:
        """Show a page, from where the screen is scrolled to."""
        self._draw, self._shade = draw, shade
        self._redraw()

    def reshade(self, shade: Shade) -> None:
        """Draw the same page with amounts hidden or shown."""
        self._shade = shade
        self._redraw()

    def on_resize(self) -> None:
        """Draw the page for another width."""
        self._redraw()

    def _redraw(self) -> None:
        width = self.scrollable_content_region.width - 2
        if width < 1:
            return
        shade = self._shade
        self._drawn = [shade.hide(line) if shade else line for line in self._draw(width)]
        self.virtual_size = Size(0, len(self._drawn))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line of the page."""
        width, number = self.scrollable_content_region.width, self.scroll_offset.y + y
        line = Text(" ") + self._drawn[number] if number < len(self._drawn) else Text()
        return _strip(line, self, width, self.rich_style)


def _strip(line: Text, widget: ScrollView, width: int, base: Any) -> Strip:  # noqa: ANN401 -- A rich style.
    line.end = ""
    segments = list(line.render(widget.app.console))
    return Strip(segments).apply_style(base).adjust_cell_length(width, base)
