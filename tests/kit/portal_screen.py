"""`Portal`: the portal over a ledger at a fixed clock, as lines of text.

def test_it(demo: Portal) -> None:
    screens = demo.pressed("2", "h")       # the screen after each key
    assert "live" in screens[0]
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from liveportal.cli.clock import use_clock
from liveportal.tui.app import PortalApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from textual.pilot import Pilot

SIZE = (80, 24)
ROUNDS = 50
"""Each look may need another one; more than this is an endless loop."""


class Screen:
    """A running portal."""

    def __init__(self, app: PortalApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def settle(self) -> None:
        """Wait until everything that was asked is read and drawn."""
        for _ in range(ROUNDS):
            await self.pilot.pause()
            if not any(not worker.is_finished for worker in self.app.workers):
                return
            await self.app.workers.wait_for_complete()
        raise AssertionError("The portal reads again and again.")

    async def press(self, *keys: str) -> str:
        """Press keys, and return the screen as text."""
        for key in keys:
            await self.pilot.press(key)
            await self.settle()
        return self.text

    @property
    def text(self) -> str:
        """The screen as text; no line is wider than it."""
        compositor = self.app.screen._compositor  # noqa: SLF001 -- The one place with all strips.
        lines = ["".join(part.text for part in strip) for strip in compositor.render_strips()]
        assert all(cell_len(line) <= self.app.size.width for line in lines)
        return "\n".join(line.rstrip() for line in lines)


@dataclass(frozen=True)
class Portal:
    """The portal over a ledger, which is opened for each run."""

    ledger: Path
    now: datetime

    @asynccontextmanager
    async def running(self, size: tuple[int, int] = SIZE) -> AsyncIterator[Screen]:
        """Run the portal without a terminal."""
        with use_clock(lambda: self.now):
            app = PortalApp(self.ledger, lambda: self.now)
            async with app.run_test(size=size) as pilot:
                screen = Screen(app, pilot)
                await screen.settle()
                yield screen

    def run(self, work: Callable[[Screen], Awaitable[Any]], size: tuple[int, int] = SIZE) -> Any:  # noqa: ANN401 -- Whatever the work returns.
        """Do some work with the screen, and return its result."""

        async def running() -> Any:  # noqa: ANN401
            async with self.running(size) as screen:
                return await work(screen)

        return asyncio.run(running())

    def pressed(self, *keys: str, size: tuple[int, int] = SIZE) -> list[str]:
        """Return the screen after each of the keys."""

        async def work(screen: Screen) -> list[str]:
            return [await screen.press(key) for key in keys]

        screens: list[str] = self.run(work, size)
        return screens
