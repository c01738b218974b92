"""How the portal shows texts, times and amounts, which can be hidden."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from liveportal.cli.commands.front_page import Clock
from liveportal.cli.io.text import clean
from liveportal.domain.money import Money

if TYPE_CHECKING:
    from rich.text import Text

HIDDEN = "•••"
LONGEST_CELL = 300
"""No column is this wide; a longer text is cut before it is measured, in characters."""


class Shade(NamedTuple):
    """How a screen shows times and amounts: the present, the zone, and what hides amounts."""

    now: datetime
    zone: str
    currency: str
    is_hidden: bool = False

    @classmethod
    def plain(cls) -> Shade:
        """Return the shade of a page without times and amounts."""
        return cls(datetime.now(UTC), "UTC", "USD")

    def hide(self, text: Text) -> Text:
        """Return the text; if amounts are hidden, with dots in place of each."""
        if not self.is_hidden:
            return text
        shown = text.copy()
        plain = _amounts(len(str(Money(0, self.currency)).partition(".")[2])).sub(
            _dots, shown.plain
        )
        shown.plain = plain
        return shown

    def time(self, instant: datetime) -> str:
        """Return a time such as `today 11:00` or `Thu 3 Dec 17:00`."""
        return Clock(self.now, self.zone).time(instant)


def one_line(text: str | None) -> str:
    """Return a text of a stranger as one line, without control characters."""
    return " ".join(clean((text or "")[:LONGEST_CELL]).split())


@cache
def _amounts(digits: int) -> re.Pattern[str]:
    """Return the pattern of an amount; without decimals, any number by itself could be one."""
    decimals = rf"\.\d{{{digits}}}" if digits else ""
    return re.compile(rf"(?<![\w:.-])-?\d[\d,]*{decimals}(?!\d|[:-]\d|\.\d|[A-Za-z])")


def _dots(match: re.Match[str]) -> str:
    width = len(match[0])
    return HIDDEN.rjust(width) if width >= len(HIDDEN) else "•" * width
