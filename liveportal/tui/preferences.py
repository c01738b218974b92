"""My Preferences: rates, skills, hours and rules in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from liveportal.cli.commands.preferences import preferences_detail
from liveportal.cli.io.view_model import Detail
from liveportal.ledger.queries.reader import Reader
from liveportal.tui.lists import Page
from liveportal.tui.looks import Look, Query
from liveportal.tui.tabs import Tab, detail_page
from liveportal.tui.words import Shade

if TYPE_CHECKING:
    from textual.app import ComposeResult

NONE = "No preferences are set. `liveportal preferences set --help` lists them."


class Preferences(Tab):
    """The preferences in words."""

    title, short_title = "My Preferences", "Preferences"
    steps: ClassVar[Mapping[str, str]] = {"edit": "liveportal preferences set --help"}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("e", "app.step('edit')", "Change")]

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Page()

    def asks(self) -> Query:
        """Read the preferences."""
        return _read

    def show(self, look: Look, shade: Shade) -> None:
        """Show the preferences as `preferences show` does."""
        detail: Detail = look.answer
        if any(detail.row[name] for name in detail.human or ()):
            self.query_one(Page).show(detail_page(detail, shade), shade)
        else:
            self.query_one(Page).show(lambda _width: [Text(NONE)], shade)

    def reshade(self, shade: Shade) -> None:
        """Draw the rates again."""
        self.query_one(Page).reshade(shade)


def _read(reader: Reader, _now: datetime) -> Detail:
    return preferences_detail(reader)
