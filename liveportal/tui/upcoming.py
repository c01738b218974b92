"""Upcoming Sessions: what runs, with its timer, and the agenda."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalGroup
from textual.widgets import Digits, Static

from liveportal.cli.commands.sessions.follow_view import format_stopwatch
from liveportal.cli.io.answers import amount
from liveportal.cli.io.text import format_length
from liveportal.domain.calculations.live_session import LiveSession, running
from liveportal.domain.clock import MICROSECOND
from liveportal.domain.entities import Session
from liveportal.domain.policy import Policy
from liveportal.ledger.queries.front_page import RunningSession
from liveportal.tui.lists import Column, List
from liveportal.tui.looks import Look
from liveportal.tui.tabs import Tab
from liveportal.tui.words import Shade, one_line

if TYPE_CHECKING:
    from textual.app import ComposeResult


def _starts(row: Any, shade: Shade) -> str:  # noqa: ANN401 -- A row of the agenda.
    if row.state == "upcoming":
        span = row.start - shade.now
        return format_length(span) if span >= timedelta() else f"! {format_length(-span)} late"
    return "‖ paused" if row.state == "paused" else "● live"


def _length(row: Any) -> str:  # noqa: ANN401 -- A row of the agenda.
    if row.end is None:
        return ""
    return f"{(row.end - row.start) // timedelta(minutes=1)} min"


COLUMNS = (
    Column("starts in", _starts, rank=1),
    Column("your time", lambda row, shade: shade.time(row.start)),
    Column("theirs", lambda row, _: (row.customer_local or "")[11:16], rank=3),
    Column("length", lambda row, _: _length(row), rank=2, is_number=True),
    Column("customer", lambda row, _: one_line(row.customer_name or row.customer), is_text=True),
    Column("title", lambda row, _: one_line(row.title), is_text=True),
    Column("earns", lambda row, _: str(row.expected_earned or ""), is_number=True),
)


class Timer(VerticalGroup):
    """A running session: its time and earnings in large digits, and what it is."""

    def compose(self) -> ComposeResult:
        """Lay out the digits above a line of words."""
        yield Digits()
        yield Static(markup=False)

    def show(self, row: RunningSession, live: LiveSession, shade: Shade) -> None:
        """Show the session at an instant."""
        active = format_stopwatch(live.active_us * MICROSECOND)
        earned = shade.hide(Text(str(live.earned or "-"))).plain
        self.query_one(Digits).update(f"{active}  {earned if not shade.is_hidden else ''}")
        state = "‖ paused" if row.state == "paused" else "● on the timer"
        words = [
            state,
            f"{amount(live.earned)} earned" if live.earned else "",
            f"paused {format_stopwatch(live.paused_us * MICROSECOND)}" if live.paused_us else "",
            f"{amount(row.rate)} a minute",
        ]
        about = f"{row.id}  {one_line(row.customer_name or row.customer)}  {one_line(row.title)}"
        text = Text("\n".join(("  ".join(filter(None, words)), about)))
        text.no_wrap, text.overflow = True, "ellipsis"
        self.query_one(Static).update(shade.hide(text))


class Upcoming(Tab):
    """The sessions that are not over."""

    title, short_title = "Upcoming Sessions", "Upcoming"
    steps: ClassVar[Mapping[str, str]] = {
        "start": "liveportal sessions start {id}",
        "pause": "liveportal sessions pause {id}",
        "resume": "liveportal sessions resume {id}",
        "end": "liveportal sessions end {id}",
        "cancel": "liveportal sessions cancel {id}",
        "miss": "liveportal sessions miss {id}",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "app.step('start')", "Start"),
        Binding("p", "app.step('pause')", "Pause"),
        Binding("p", "app.step('resume')", "Resume"),
        Binding("e", "app.step('end')", "End"),
        Binding("x", "app.step('cancel')", "Cancel", show=False),
        Binding("n", "app.step('miss')", "No-show", show=False),
    ]
    _APPLIES: ClassVar[Mapping[str, Sequence[str]]] = {
        "upcoming": ("start", "cancel", "miss"),
        "live": ("pause", "end"),
        "paused": ("resume", "end"),
    }

    def __init__(self) -> None:
        super().__init__()
        self._timed: list[tuple[Session, Policy]] = []
        self._rows: Mapping[str, RunningSession] = {}

    def compose(self) -> ComposeResult:
        """Lay out the timers above the agenda."""
        yield VerticalGroup(id="timers")
        yield List(
            COLUMNS,
            lambda row: str(row.id),
            "No sessions are planned. New Requests shows what you can accept.",
        )

    def show(self, look: Look, shade: Shade) -> None:
        """Show the timers and the agenda."""
        self._timed = look.running
        self._rows = {row.id: row for row in look.page.running}
        timers = self.query_one("#timers")
        shown = len(timers.children)
        for _ in range(len(self._rows) - shown):
            timers.mount(Timer())
        for timer in [*timers.children][len(self._rows) :]:
            timer.remove()
        self.query_one(List).show([*look.page.running, *look.page.upcoming], shade)
        self.call_after_refresh(self.reshade, shade)

    def reshade(self, shade: Shade) -> None:
        """Draw the agenda again, and the timers."""
        self.query_one(List).reshade(shade)
        self.tick(shade)

    def tick(self, shade: Shade) -> None:
        """Let the timers run; they need no ledger."""
        timers = list(self.query(Timer))
        for timer, (session, policy) in zip(timers, self._timed, strict=False):
            live = running(session, policy, shade.now)
            if live and session.id in self._rows and timer.is_mounted:
                timer.show(self._rows[session.id], live, shade)

    def count(self, look: Look) -> str:
        """Count the sessions that are not over."""
        return f"({len(look.page.running) + len(look.page.upcoming)})"

    @property
    def selected(self) -> str | None:
        """The session at the cursor."""
        row = self.query_one(List).row
        return row.id if row else None

    def command(self, step: str) -> str | None:
        """Return the command of a step, if the session's state allows it."""
        row = self.query_one(List).row
        if row is None or step not in self._APPLIES.get(row.state, ()):
            return None
        return super().command(step)
