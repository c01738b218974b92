"""The command palette: everything the portal does, each with the shell command it equals."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider

if TYPE_CHECKING:
    from liveportal.tui.app import PortalApp

ENTRIES = (
    ("New Requests", "tab(1)", "liveportal requests list"),
    ("Upcoming Sessions", "tab(2)", "liveportal sessions upcoming"),
    ("Session History", "tab(3)", "liveportal sessions list"),
    ("My Earnings", "tab(4)", "liveportal earnings"),
    ("My Preferences", "tab(5)", "liveportal preferences show"),
    ("Claims to answer", "claims", "liveportal refunds list --state open"),
    ("Copy the id", "copy", ""),
    ("Hide or show amounts", "hide", ""),
    ("Change the colours", "change_theme", "liveportal portal --theme day"),
    ("Help", "help", "liveportal portal --help"),
    ("Quit", "quit", ""),
)
STEPS = {
    "accept": "Accept the request",
    "decline": "Decline the request",
    "start": "Start the session",
    "pause": "Pause the session",
    "resume": "Resume the session",
    "end": "End the session",
    "cancel": "Cancel the session",
    "miss": "Record a no-show",
    "dispute": "Dispute the claim",
    "profile": "Fill in the payout profile",
    "edit": "Change your preferences",
}


class Entry(NamedTuple):
    """A command of the palette: its name, its action and the shell command."""

    name: str
    action: str
    shell: str


class PortalCommands(Provider):
    """The commands that apply here and now."""

    def _entries(self) -> Iterator[Entry]:
        app: PortalApp = self.app  # type: ignore[assignment]
        for step, name in STEPS.items():
            if command := app.tab.command(step):
                yield Entry(name, f"step('{step}')", command)
        yield from (Entry(*entry) for entry in ENTRIES)

    async def discover(self) -> Hits:
        """List all commands."""
        for entry in self._entries():
            run = partial(self.app.run_action, entry.action)
            yield DiscoveryHit(entry.name, run, help=entry.shell)

    async def search(self, query: str) -> Hits:
        """Find commands by their names or shell commands."""
        matcher = self.matcher(query)
        for entry in self._entries():
            score = max(matcher.match(entry.name), matcher.match(entry.shell))
            if score > 0:
                run = partial(self.app.run_action, entry.action)
                yield Hit(score, matcher.highlight(entry.name), run, help=entry.shell)
