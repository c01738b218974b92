"""Regular expressions that are compiled on first use: most commands use few of them.

Compiling costs 0.2 to 2 ms each, which a module should not cost when it is only imported.
"""

from __future__ import annotations

import re
from typing import Any, cast

__all__ = ["pattern"]


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern like `re.compile`, but compiled on first access."""
    return cast("re.Pattern[str]", _LazyPattern(text, flags))


class _LazyPattern:
    def __init__(self, text: str, flags: int) -> None:
        self._arguments = (text, flags)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- Any attribute of a pattern.
        value = getattr(re.compile(*self._arguments), name)
        setattr(self, name, value)  # Later accesses bypass `__getattr__`.
        return value
