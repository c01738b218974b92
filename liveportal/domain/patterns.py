"""Regular expressions that are compiled when they are first used: most commands use few of them.

Compiling costs 0.2 to 2 ms each, which a module that only lies there should not cost.
"""

from __future__ import annotations

import re
from typing import Any, cast

__all__ = ["pattern"]


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return what `re.compile` would, compiled when it is first asked for anything."""
    return cast("re.Pattern[str]", _Late(text, flags))


class _Late:
    def __init__(self, text: str, flags: int) -> None:
        self._given = (text, flags)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- Whatever a pattern has.
        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)  # From the second time on there is nothing between.
        return found
