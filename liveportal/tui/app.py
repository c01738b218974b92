"""The portal: the bar that is always there, five tabs, and what keeps them up to date."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import ContentSwitcher, Footer, Static

from liveportal.cli.clock import Clock
from liveportal.cli.commands.sessions.follow_view import format_stopwatch
from liveportal.cli.io.answers import amount, plural
from liveportal.cli.io.text import cut, display_width, no_colour
from liveportal.domain.calculations.live_session import running
from liveportal.domain.clock import MICROSECOND
from liveportal.domain.errors import LiveportalError
from liveportal.domain.money import Money
from liveportal.ledger.storage.driver import DatabaseError
from liveportal.tui.earnings import Earnings
from liveportal.tui.history import History
from liveportal.tui.lists import List
from liveportal.tui.looks import Look, Query, look, same
from liveportal.tui.palette import PortalCommands
from liveportal.tui.preferences import Preferences
from liveportal.tui.requests import Requests
from liveportal.tui.screens import Details, Help
from liveportal.tui.tabs import Tab
from liveportal.tui.upcoming import Upcoming
from liveportal.tui.words import Shade

if TYPE_CHECKING:
    from textual import events
    from textual.command import Provider

TABS: tuple[Callable[[], Tab], ...] = (Requests, Upcoming, History, Earnings, Preferences)
WIDE = 100
"""From this width on, tabs have their whole names."""
PARTS = 8
"""The lists and pages of all tabs."""
INTERRUPTED, TERMINATED, HUNG_UP = 130, 143, 129


class TabLabel(Static):
    """The name of a tab; a click opens it."""

    def __init__(self, number: int) -> None:
        super().__init__(markup=False)
        self.number = number

    def name_it(self, text: str) -> None:
        """Show this name; the line is laid out again only if it is another one."""
        if text != self.content:
            self.update(text)

    def on_click(self) -> None:
        """Open the tab."""
        self.app.call_later(self.app.run_action, f"tab({self.number})")


class PortalApp(App[None]):
    """The portal over one ledger; it only reads."""

    CSS_PATH = "portal.tcss"
    TITLE = "liveportal"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {PortalCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"tab({n})", show=False) for n in range(1, 6)),
        Binding("c", "claims", show=False),
        Binding("y", "copy", show=False),
        Binding("r", "look", show=False),
        Binding("h", "hide", "Hide amounts"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "interrupt", show=False, system=True),
    ]

    class Looked(Message):
        """A look has ended: with what it saw, with nothing new (None), or with a failure."""

        def __init__(self, result: Look | str | None) -> None:
            super().__init__()
            self.result = result

    def __init__(self, ledger: Path, clock: Clock, *, theme: str = "textual-dark") -> None:
        # With NO_COLOR, only Textual's mode for a terminal's own palette has no greys either.
        super().__init__(ansi_color=True if no_colour() else None)
        self.ledger = ledger
        self.clock = clock
        self.theme = theme
        self.is_hidden = False
        self.seen: Look | None = None
        self._failure = ""
        self._is_looking = False
        self._must_look = True
        self._minute = -1

    # --- the screen -------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Lay out the bar, the tabs and the keys."""
        yield Static(id="bar", markup=False)
        with Horizontal(id="tabs"):
            for number in range(1, len(TABS) + 1):
                yield TabLabel(number)
        with ContentSwitcher(initial="tab1"):
            for number, make in enumerate(TABS, start=1):
                tab = make()
                tab.id = f"tab{number}"
                yield tab
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Take the signals, look for the first time, and let the clock tick."""
        self._take_signals()
        self.action_tab(1)
        self.set_interval(1, self.tick)

    def on_resize(self, event: events.Resize) -> None:
        """Choose names that fit."""
        self.screen.set_class(event.size.width >= 130, "wide")  # noqa: PLR2004 -- Two lists beside each other.
        self.call_after_refresh(self._show_frame)

    @property
    def tab(self) -> Tab:
        """The tab that is shown."""
        name = self.screen_stack[0].query_one(ContentSwitcher).current
        return self.screen_stack[0].query_one(f"#{name}", Tab)

    @property
    def _is_whole(self) -> bool:
        """False before the screen is laid out, and while it is taken down."""
        return (
            bool(self.screen_stack)
            and len(self.screen_stack[0].query("Tab List, Tab Page")) == PARTS
        )

    @property
    def shade(self) -> Shade:
        """The present, as the screens show it."""
        page = self.seen
        return Shade(
            self.clock(),
            page.zone if page else "UTC",
            page.page.currency if page else "USD",
            self.is_hidden,
        )

    def tick(self) -> None:
        """Let the timers run, and look whether another program has changed the ledger."""
        if not self._is_whole:
            return
        if self.seen:
            self._show_frame()
            shade = self.shade
            is_new_minute = shade.now.minute != self._minute
            self._minute = shade.now.minute
            if len(self.screen_stack) == 1:
                (self.tab.reshade if is_new_minute else self.tab.tick)(shade)
        self._look()

    def _show_frame(self) -> None:
        """Draw the bar and the names of the tabs."""
        if not self._is_whole:
            return
        base, width = self.screen_stack[0], self.size.width
        for label, tab in zip(base.query(TabLabel), base.query(Tab), strict=True):
            count = tab.count(self.seen) if self.seen else ""
            name = tab.title if width >= WIDE else tab.short_title
            label.name_it(f" {label.number} {name} {count}".rstrip() + " ")
            label.set_class(tab is self.tab, "current")
        base.query_one("#bar", Static).update(self._bar(width - 1), layout=False)

    def _bar(self, width: int) -> Text:
        """Return what runs, what is at stake and what is owed."""
        if self._failure:
            return Text(cut(f" ! {self._failure}", width))
        if self.seen is None:
            return Text(" liveportal   reading the ledger")
        page, now = self.seen.page, self.clock()
        live = [(s, running(s, policy, now)) for s, policy in self.seen.running]
        parts = []
        for session, figures in live:
            if figures:
                mark = "‖ paused" if session.state == "paused" else "● live"
                time = format_stopwatch(figures.active_us * MICROSECOND)
                parts.append(f"{mark} {time}  {amount(figures.earned)}")
        if page.claims:
            cost = sum((claim.cost for claim in page.claims), Money(0, page.currency))
            parts.append(f"! {plural(len(page.claims), 'claim')}: {cost}")
        parts.append(f"owed {amount(page.payout.owed)}")
        start = " liveportal   "
        while len(parts) > 1 and display_width(start + "  ".join(parts)) > width:
            parts.pop(0 if len(live) > 1 and len(parts) > 3 else -1)  # noqa: PLR2004
        return self.shade.hide(Text(cut(start + "  ".join(parts), width)))

    # --- reading ----------------------------------------------------------------------------------

    def action_look(self) -> None:
        """Read the ledger, although nothing may have changed."""
        self._must_look = True
        self._look()

    def _look(self) -> None:
        """Read in a thread, one look at a time."""
        if self._is_looking:
            return
        self._is_looking = True
        always, self._must_look = self._must_look, False
        shown = self.screen
        query = shown.asks() if isinstance(shown, Details) else self.tab.asks()
        read = partial(self._read, query, self.clock(), self.seen, always=always)
        self.run_worker(read, thread=True, exit_on_error=False)

    def _read(self, query: Query, now: datetime, last: Look | None, *, always: bool) -> None:
        """Look in this thread, which shares nothing that is open with others."""
        try:
            result: Look | str | None = look(self.ledger, query, now, last, always=always)
        except LiveportalError as error:
            result = error.message
        except (DatabaseError, OSError) as error:
            result = f"The ledger cannot be read: {error}"
        self.post_message(self.Looked(result))

    def on_portal_app_looked(self, event: Looked) -> None:
        """Show what a look saw, unless the screen has changed meanwhile; then look again."""
        self._is_looking = False
        if not self._is_whole:
            return
        result = event.result
        self._failure = result if isinstance(result, str) else ""
        if isinstance(result, Look):
            self.seen = result
            self._show(result)
        elif self._failure:
            self._must_look = True
            self._show_frame()
        if self._must_look and not self._failure:
            self._look()

    def _show(self, seen: Look) -> None:
        self._show_frame()
        shown = self.screen
        current = shown.asks() if isinstance(shown, Details) else self.tab.asks()
        if same(current, seen.query):
            if isinstance(shown, Details):
                shown.show(seen, self.shade)
            else:
                self.tab.show(seen, self.shade)
                self.screen_stack[0].refresh_bindings()
        else:
            self._must_look = True

    # --- keys -------------------------------------------------------------------------------------

    def action_tab(self, number: int) -> None:
        """Open a tab."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        base = self.screen_stack[0]
        base.query_one(ContentSwitcher).current = f"tab{number}"
        tab = self.tab
        shown = tab.shown if isinstance(tab, Earnings) else None
        focusable = shown or next(
            (w for w in tab.query("List, Page").results() if w.focusable), None
        )
        if focusable is not None:
            self.call_after_refresh(focusable.focus)
        self._show_frame()
        self.action_look()

    def action_claims(self) -> None:
        """Show the claims to answer."""
        self.action_tab(3)
        self.query_one(History).choose(1)

    def action_hide(self) -> None:
        """Hide all amounts, or show them again."""
        self.is_hidden = not self.is_hidden
        self._show_frame()
        self.tab.reshade(self.shade)
        if isinstance(self.screen, Details):
            self.screen.reshade(self.shade)

    def action_copy(self) -> None:
        """Copy the id of the selection to the clipboard."""
        name = self.screen.session if isinstance(self.screen, Details) else self.tab.selected
        if name:
            self.copy_to_clipboard(name)
            self.notify(name, title="Copied", markup=False)

    def action_help(self) -> None:
        """Show the keys, or close them."""
        if isinstance(self.screen, Help):
            self.pop_screen()
        else:
            self.push_screen(Help())

    def action_step(self, step: str) -> None:
        """Show the shell command of a step, and copy it: the portal records nothing yet."""
        command = self.tab.command(step)
        if command:
            self.copy_to_clipboard(command)
            self.notify(
                command,
                title="Copied. The portal only reads; in a shell:",
                timeout=20,
                markup=False,
            )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a step only where it applies here and now."""
        if action == "step":
            return len(self.screen_stack) == 1 and self.tab.command(str(parameters[0])) is not None
        return True

    def on_list_moved(self) -> None:
        """Read the request at the cursor; other keys may apply to it."""
        self.screen_stack[0].refresh_bindings()
        if isinstance(self.tab, Requests):
            self.action_look()

    def on_list_opened(self, event: List.Opened) -> None:
        """Open View Details of a session."""
        del event
        name = self.tab.selected
        if name and isinstance(self.tab, (Upcoming, History)):
            self.push_screen(Details(name))
            self.action_look()

    @property
    def bug(self) -> Exception | None:
        """The unexpected error that ended the portal, if any."""
        return self._exception

    def _fatal_error(self) -> None:
        """End without Textual's report, which would print rows of the ledger."""
        self._close_messages_no_wait()

    # --- the end ----------------------------------------------------------------------------------

    def action_interrupt(self) -> None:
        """End as Ctrl-C ends any command."""
        self.exit(return_code=INTERRUPTED)

    def _take_signals(self) -> None:
        """End with the terminal restored at SIGTERM, and at once if the terminal is gone."""
        if self.is_headless or sys.platform == "win32":
            return
        loop = asyncio.get_running_loop()
        ends: dict[int, Callable[[], object]] = {
            signal.SIGTERM: partial(self.exit, return_code=TERMINATED),
            signal.SIGINT: partial(self.exit, return_code=INTERRUPTED),
            # Textual writes in a thread, which a terminal that is gone can hold for ever.
            signal.SIGHUP: partial(os._exit, HUNG_UP),
        }
        for number, end in ends.items():
            if signal.getsignal(number) is not signal.SIG_IGN:  # As `nohup` does.
                with contextlib.suppress(NotImplementedError, RuntimeError):
                    loop.add_signal_handler(number, end)
