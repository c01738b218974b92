"""Shared by all formats: messages, speakers, and lines that continue a message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from liveportal.domain.frozen import frozen

HEAD = 512
"""How many characters of a line are searched for a time and a speaker, to bound the search."""

OUTSIDE = "text_outside_cues"
"""The flag for text outside any cue: it is kept without a time, and no player shows it."""

MOST_NAME_WORDS = 4
MOST_TITLED_WORDS = 8
"""The most words of a name, and of a name in which all words begin as names do."""

MOST_WIDE_LETTERS = 5
LONGEST_NAME = 64

# SQLite ends a text at NUL; the others mark the hits in snippets.
_UNSTORABLE = re.compile("[\x00\x02\x03]")
_SURROGATES = re.compile("[\ud800-\udfff]")
# Full-width colons need no space after them, nor does any colon before such a script.
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
    """A time as shown by a clock or a timer; `second` is None if it is not shown."""

    hour: int
    minute: int
    second: int | None = None
    millisecond: int = 0


Stamp = int | Clock | datetime | None
"""Milliseconds since the start, a clock time, an instant or local time, or unknown."""


@frozen
class ParsedMessage:
    """A message as parsed from a file; `flag` is a flag for the file that it causes."""

    stamp: Stamp
    speaker: str | None
    text: str
    flag: str | None = None


def tidy(text: str, *, one_line: bool = False) -> str:
    """Return a stripped text without the characters that SQLite or UTF-8 cannot store."""
    cleaned = _SURROGATES.sub("\ufffd", _UNSTORABLE.sub("", text))
    return " ".join(cleaned.split()) if one_line else cleaned.strip()


def by_speaker(line: str) -> tuple[str | None, str]:
    """Split a line such as `Mina: hello` into speaker and text; the speaker may be None."""
    match = _SPEAKER.match(line[:HEAD])
    if not match or not _has_few_words(match[1]):
        return None, line
    # A full-width colon also occurs in sentences, so only a short text before it is a name.
    has_no_space = not line[match.end() - 1].isspace()
    if (
        has_no_space
        and _HAS_WIDE.search(match[1])
        and len("".join(match[1].split())) > MOST_WIDE_LETTERS
    ):
        return None, line
    return match[1], line[match.end() :]


def is_name(text: str, *, titled: bool = False) -> bool:
    """Return True if a text can be a speaker's name; `titled`: all words must begin like names."""
    bare = text.strip()
    if not _NAME.fullmatch(bare) or (bare.endswith(_SENTENCE_ENDS) and not _is_initial(bare)):
        return False
    return _is_titled(bare) if titled else _has_few_words(bare)


def _is_initial(name: str) -> bool:
    """Return True if a name ends with an initial or a short title: `Leo W.`, `Joe Doe Jr.`."""
    last = name.rsplit(maxsplit=1)[-1]
    return last.endswith(".") and len(last) <= len("Jr.") and last[:1].isupper()


def _has_few_words(name: str) -> bool:
    return len(name.split()) <= MOST_NAME_WORDS or _is_titled(name)


def _is_titled(name: str) -> bool:
    words = name.split()
    return len(words) <= MOST_TITLED_WORDS and all(
        not word[0].islower() or word in _PARTICLES for word in words
    )


def join_continuations(lines: Iterable[ParsedMessage | str]) -> Iterator[ParsedMessage]:
    """Yield messages joined with the lines that continue them."""
    current: ParsedMessage | None = None
    continuation: list[str] = []
    for line in lines:
        if isinstance(line, str) and current:
            continuation.append(line)
            continue
        if current:
            yield _with_continuation(current, continuation)
        current = ParsedMessage(None, None, line) if isinstance(line, str) else line
        continuation.clear()
    if current:
        yield _with_continuation(current, continuation)


def _with_continuation(message: ParsedMessage, continuation: list[str]) -> ParsedMessage:
    text = "\n".join((message.text, *continuation))
    return (
        ParsedMessage(message.stamp, message.speaker, text, message.flag)
        if continuation
        else message
    )
