"""Read untrusted TOML in bounded time.

Python's reader takes quadratic time for the parts of a dotted key: hours for one that fills a file.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_DOTS = 32
"""The limit per line, outside of strings; the keys that are used here have two parts."""

# Strings and comments, closed or not; possessive, so that matching never backtracks.
_STRINGS_AND_COMMENTS = re.compile(r"""\"(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|\#[^\n]*+""")


def loads(text: str) -> dict[str, Any]:
    """Parse a document; raises `ValueError` if it is not TOML, too deep, or has too long keys.

    A byte order mark at the start is skipped.
    """
    text = text.removeprefix("\ufeff")
    for number, line in enumerate(text.split("\n"), 1):
        if (
            line.count(".") > MOST_DOTS
            and _STRINGS_AND_COMMENTS.sub("", line).count(".") > MOST_DOTS
        ):
            raise ValueError(f"a key has more than {MOST_DOTS} parts (at line {number})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
