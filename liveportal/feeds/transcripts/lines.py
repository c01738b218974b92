"""What all formats have in common: what was said, and lines that go on with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from liveportal.domain.values import dataclass

HEAD = 512
"""How far into a line its time and speaker are looked for: no pattern runs over a megabyte."""

OUTSIDE = "text_outside_cues"
"""The flag of text that stands in no cue: it is kept without a time, and no player shows it."""

MOST_NAME_WORDS = 4
MOST_TITLED_WORDS = 8
"""How many words a name has, and how many where all of them begin as names do."""

MOST_WIDE_LETTERS = 5
LONGEST_NAME = 64

_UNSTORABLE = re.compile("[\x00\x02\x03]")  # SQLite's end of text, and a hit's marks in a snippet.
_SURROGATES = re.compile("[\ud800-\udfff]")
# Chinese and Japanese colons need no blank behind them, nor does any before such a script.
_WIDE = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_PHONE = r"\+[0-9][0-9 ()*.-]{6,30}|[0-9]{10,15}"
_SPEAKER = re.compile(
    rf"[ \t]*((?:[^\W\d_]|[\[(][^\W\d_])[^:\uff1a\t\n]{{0,{LONGEST_NAME - 1}}}|{_PHONE})"
    rf"(?::[ \t\u00a0]+(?=\S)|:(?=[{_WIDE}])|\uff1a[ \t\u3000]*(?=\S))"
)
_HAS_WIDE = re.compile(f"[{_WIDE}]")
_NAME = re.compile(rf"(?:[^\W\d_]|[\[(][^\W\d_])[^:\uff1a\t\n]{{0,{LONGEST_NAME - 1}}}|{_PHONE}")
_SENTENCE_ENDS = tuple(".!?,;\u2026\u3002\uff01\uff1f\uff0c")
_PARTICLES = frozenset(
    (
        *("a", "al", "and", "bin", "binti", "da", "de", "del", "den", "der", "di", "do", "dos"),
        *("du", "e", "el", "la", "le", "ten", "ter", "van", "von", "y", "zu"),
    )
)


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
    """A message as a file has it; `flag` is what is to be said about the file because of it."""

    stamp: Stamp
    speaker: str | None
    text: str
    flag: str | None = None


def tidy(text: str, *, one_line: bool = False) -> str:
    """Return a text as it can be kept: without what SQLite or UTF-8 cannot hold."""
    kept = _SURROGATES.sub("\ufffd", _UNSTORABLE.sub("", text))
    return " ".join(kept.split()) if one_line else kept.strip()


def by_speaker(line: str) -> tuple[str | None, str]:
    """Return who speaks in a line such as `Mina: hello`, if anybody, and what is said."""
    match = _SPEAKER.match(line[:HEAD])
    if not match or not _has_few_words(match[1]):
        return None, line
    # A wide colon also stands in sentences: before it a name has few letters.
    glued = not line[match.end() - 1].isspace()
    if glued and _HAS_WIDE.search(match[1]) and len("".join(match[1].split())) > MOST_WIDE_LETTERS:
        return None, line
    return match[1], line[match.end() :]


def is_name(text: str, *, titled: bool = False) -> bool:
    """Return whether a text can be a speaker's name; `titled`: all its words begin as names do."""
    bare = text.strip()
    if not _NAME.fullmatch(bare) or (bare.endswith(_SENTENCE_ENDS) and not _is_initial(bare)):
        return False
    return _is_titled(bare) if titled else _has_few_words(bare)


def _is_initial(name: str) -> bool:
    """Return whether a name ends with an initial or a short title: `Leo W.`, `Joe Doe Jr.`."""
    last = name.rsplit(maxsplit=1)[-1]
    return last.endswith(".") and len(last) <= len("Jr.") and last[:1].isupper()


def _has_few_words(name: str) -> bool:
    return len(name.split()) <= MOST_NAME_WORDS or _is_titled(name)


def _is_titled(name: str) -> bool:
    words = name.split()
    return len(words) <= MOST_TITLED_WORDS and all(
        not word[0].islower() or word in _PARTICLES for word in words
    )


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
    text = "\n".join((begun.text, *more))
    return Said(begun.stamp, begun.speaker, text, begun.flag) if more else begun
