"""The screens above the tabs: View Details, and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer

from liveportal.tui.history import read_details
from liveportal.tui.lists import Page
from liveportal.tui.looks import Look, Query
from liveportal.tui.tabs import detail_page
from liveportal.tui.words import Shade

if TYPE_CHECKING:
    from textual.app import ComposeResult

KEYS = (
    ("The portal only reads, and sends nothing to the platform.", ""),
    ("A key that would record something shows and copies its command.", ""),
    ("Everywhere", ""),
    ("1 to 5, click", "open a tab"),
    ("arrows, j k g G", "move; also PgUp, PgDn, Home, End"),
    ("c", "claims to answer"),
    ("y", "copy the id (not in macOS Terminal)"),
    ("h", "hide amounts, or show them again"),
    ("r", "read again; the portal also does so by itself"),
    ("Ctrl+P", "all commands, each with its shell command"),
    ("? or Esc", "open or close this page"),
    ("q, Ctrl+C", "quit"),
    ("In New Requests", ""),
    ("a, x", "accept, decline"),
    ("In Upcoming Sessions", ""),
    ("s, p, e", "start; pause or resume; end"),
    ("x, n", "cancel; record that the customer did not come"),
    ("In Session History", ""),
    ("Enter", "View Details: bill, files, claims, history"),
    ("/", "filter by words: title, customer, transcript"),
    ("f, d", "all, claims to answer or disputed; dispute a claim"),
    ("In My Earnings", ""),
    ("[ ] or arrows", "the month before, the month after"),
    ("v, i", "the next view; fill in the payout profile"),
)


class Details(Screen[None]):
    """Everything about a session; it is kept up to date, too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", "Back")]

    def __init__(self, session: str) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Page()
        yield Footer(show_command_palette=False, compact=True)

    def asks(self) -> Query:
        """Read the session."""
        return partial(read_details, self.session)

    def show(self, look: Look, shade: Shade) -> None:
        """Show the session, and its claims below it."""

        def draw(width: int) -> Sequence[Text]:
            lines: list[Text] = []
            for detail in look.answer:
                lines += [*([Text()] if lines else []), *detail_page(detail, shade)(width)]
            return lines or [Text("This session is no longer in the ledger.")]

        self.query_one(Page).show(draw, shade)

    def reshade(self, shade: Shade) -> None:
        """Hide amounts, or show them again."""
        self.query_one(Page).reshade(shade)


class Help(ModalScreen[None]):
    """The keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", show=False)]

    def compose(self) -> ComposeResult:
        """Lay out the page in a frame."""
        with Vertical():
            yield Page()

    def on_mount(self) -> None:
        """Show the keys."""
        lines = [
            Text.assemble((f"  {keys:<17}", "bold"), words) if words else Text(keys, style="bold")
            for keys, words in KEYS
        ]
        self.query_one(Page).show(lambda _width: lines, Shade.plain())
        self.query_one(Page).focus()
