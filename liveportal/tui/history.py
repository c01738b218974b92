"""Session History: all sessions, claims to answer and disputes, and View Details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from liveportal.cli.commands.refunds.list_show import claim_detail
from liveportal.cli.commands.sessions.show import session_detail, shown_session
from liveportal.cli.io.answers import plural
from liveportal.cli.io.view_model import Detail
from liveportal.domain.errors import UnknownEntity
from liveportal.domain.text_search import words
from liveportal.ledger.queries.reader import Reader
from liveportal.ledger.queries.session_filter import SessionFilter
from liveportal.ledger.queries.sessions import SessionRow, sessions
from liveportal.tui.lists import Column, List
from liveportal.tui.looks import Look, Query
from liveportal.tui.tabs import Tab
from liveportal.tui.words import Shade, one_line

if TYPE_CHECKING:
    from textual.app import ComposeResult

KINDS = ("All", "Claims to answer", "Disputed")


class Session(NamedTuple):
    """A session of the list; `claim` is its open claim, which waits for an answer."""

    row: SessionRow
    claim: str | None


COLUMNS = (
    Column("start", lambda item, shade: shade.time(item.row.start), rank=1),
    Column(
        "customer",
        lambda item, _: one_line(item.row.customer_name or item.row.customer),
        is_text=True,
    ),
    Column("title", lambda item, _: one_line(item.row.title), is_text=True),
    Column("min", lambda item, _: item.row.minutes or "", rank=2, is_number=True),
    Column("earned", lambda item, _: _earned(item.row), is_number=True),
    Column("", lambda item, _: f"★{item.row.rating}" if item.row.rating else "", rank=4),
    Column("claim", lambda item, _: _claim(item), rank=3),
)


class History(Tab):
    """The sessions, the latest first."""

    title, short_title = "Session History", "History"
    steps: ClassVar[Mapping[str, str]] = {"dispute": "liveportal dispute file --edit {id}"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "app.step('dispute')", "Dispute"),
        Binding("f", "next_kind", "All/Claims/Disputed"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("escape", "clear", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.kind = 0
        self.words: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the choice of sessions above the list."""
        yield Static(id="kinds", markup=False)
        field = Input(
            placeholder="Words of the title, the customer or a transcript; Enter shows the list",
            compact=True,
        )
        field.display = False
        yield field
        yield List(COLUMNS, lambda item: str(item.row.id), "No sessions here.")

    def asks(self) -> Query:
        """Read the sessions of the chosen kind that have all the words."""
        chosen = SessionFilter(
            claimed=self.kind == 1,
            disputed=self.kind == KINDS.index("Disputed"),
            words=self.words,
            sort="-start",
        )
        return partial(_read, chosen)

    def show(self, look: Look, shade: Shade) -> None:
        """Show the sessions."""
        claims = {claim.session: claim.id for claim in look.page.claims}
        items = [Session(row, claims.get(row.id)) for row in look.answer]
        if self.kind == 1:
            items = [item for item in items if item.claim]
        self._show_kinds(len(claims), len(items))
        self.query_one(List).show(items, shade)

    def _show_kinds(self, claims: int, count: int) -> None:
        line = Text()
        for number, name in enumerate(KINDS):
            counted = f"{name} ({claims})" if number == 1 and claims else name
            text = f"[{counted}]" if number == self.kind else f" {counted} "
            line.append(f" {text}", style="bold" if number == self.kind else "")
        found = plural(count, "session")
        mentioned = f' with "{" ".join(self.words)}"' if self.words else ""
        line.append(f"   {found}{mentioned}")
        self.query_one("#kinds", Static).update(line)

    def reshade(self, shade: Shade) -> None:
        """Draw amounts again."""
        self.query_one(List).reshade(shade)

    def count(self, look: Look) -> str:
        """Count the claims to answer."""
        return f"!{len(look.page.claims)}" if look.page.claims else ""

    @property
    def selected(self) -> str | None:
        """The session at the cursor."""
        item = self.query_one(List).row
        return item.row.id if item else None

    def command(self, step: str) -> str | None:
        """Return the command that disputes the session's claim, if one is open."""
        item = self.query_one(List).row
        return super().command(step) if item and item.claim else None

    def choose(self, kind: int) -> None:
        """Show another kind of sessions."""
        self.kind = kind
        self.app.call_later(self.app.run_action, "look")

    def action_next_kind(self) -> None:
        """Show the next kind of sessions."""
        self.choose((self.kind + 1) % len(KINDS))

    def action_filter(self) -> None:
        """Ask for words."""
        field = self.query_one(Input)
        field.display = True
        field.focus()

    def action_clear(self) -> None:
        """Show all sessions again."""
        field = self.query_one(Input)
        field.value, field.display = "", False
        self.query_one(List).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list while the words are typed."""
        self.words = words(event.value)
        self.app.call_later(self.app.run_action, "look")

    def on_input_submitted(self) -> None:
        """Go to the list."""
        self.query_one(List).focus()


def _read(chosen: SessionFilter, reader: Reader, _now: datetime) -> Sequence[SessionRow]:
    return sessions(reader, chosen)


def _earned(row: SessionRow) -> str:
    if row.refunded and row.refunded == row.gross:
        return "refunded"
    return row.state if row.earned is None else str(row.earned)


def _claim(item: Session) -> str:
    if item.claim:
        return "! answer"
    return "disputed" if item.row.disputed else "claimed" if item.row.claim else ""


def read_details(session: str, reader: Reader, now: datetime) -> list[Detail]:
    """Read everything about a session, and about its refund claims."""
    try:
        row = shown_session(reader, session, now)
    except (UnknownEntity, ValueError):  # Another ledger was restored meanwhile.
        return []
    claims: list[Any] = [claim_detail(claim.id, reader) for claim in row.claims]
    return [session_detail(row), *claims]
