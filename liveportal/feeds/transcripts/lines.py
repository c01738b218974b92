"""What all formats have in common: what was said, and lines that go on with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from liveportal.domain.values import dataclass

HEAD = 512
"""How far into a line its time and speaker are looked for: no pattern runs over a megabyte."""

MOST_NAME_WORDS = 4

_UNSTORABLE = re.compile("[\x00\x02\x03]")  # SQLite's end of text, and a hit's marks in a snippet.
_SURROGATES = re.compile("[\ud800-\udfff]")
_SPEAKER = re.compile(r"[ \t]*([^\W\d_][^:\t\n]{0,63}):[ \t]+(?=\S)")


class Clock(NamedTuple):
    """A time as a clock or a timer shows it; `second` is None where it shows none."""

    hour: int
    minute: int
    second: int | None = None
    millisecond: int = 0


Stamp = int | Clock | datetime | None
"""Milliseconds since the start, a clock's time, an instant (or local time), or not known."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as a file has it."""

    stamp: Stamp
    speaker: str | None
    text: str


def tidy(text: str, *, one_line: bool = False) -> str:
    """Return a text as it can be kept: without what SQLite or UTF-8 cannot hold."""
    kept = _SURROGATES.sub("\ufffd", _UNSTORABLE.sub("", text))
    return " ".join(kept.split()) if one_line else kept.strip()


def by_speaker(line: str) -> tuple[str | None, str]:
    """Return who speaks in a line such as `Mina: hello`, if anybody, and what is said."""
    match = _SPEAKER.match(line[:HEAD])
    if match and len(match[1].split()) <= MOST_NAME_WORDS:
        return match[1], line[match.end() :]
    return None, line


def joined(lines: Iterable[Said | str]) -> Iterator[Said]:
    """Put together messages and the lines that go on with them."""
    begun: Said | None = None
    more: list[str] = []
    for line in lines:
        if isinstance(line, str) and begun:
            more.append(line)
            continue
        if begun:
            yield _whole(begun, more)
        begun = Said(None, None, line) if isinstance(line, str) else line
        more.clear()
    if begun:
        yield _whole(begun, more)


def _whole(begun: Said, more: list[str]) -> Said:
    return Said(begun.stamp, begun.speaker, "\n".join((begun.text, *more))) if more else begun
