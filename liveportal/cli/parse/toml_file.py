"""TOML from outside: read in bounded time.

For a dotted key Python's reader takes the square of its parts: of a key that fills a file, hours.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_DOTS = 32
"""In a line, outside of its texts; a key that is read here has two parts."""

# Texts and comments, whether or not they end: what was looked at is never looked at again.
_TEXTS = re.compile(r"""\"(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|\#[^\n]*+""")


def loads(text: str) -> dict[str, Any]:
    """Read a document; raises `ValueError` for what is no TOML, too deep, or has too long keys.

    A byte order mark at its beginning is skipped.
    """
    text = text.removeprefix("\ufeff")
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MOST_DOTS and _TEXTS.sub("", line).count(".") > MOST_DOTS:
            raise ValueError(f"a key has more than {MOST_DOTS} parts (at line {number})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
