"""Blacking out other people in what is handed on: their names, and how they can be reached.

It takes linear time, however hostile the text and however many the names: words are looked up, and
no pattern runs twice over the same text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from liveportal.domain.text import clean

BLACK = "\N{FULL BLOCK}" * 5
_SHORTEST_PART = 3  # "de", "la": words, not somebody's name.
ROLES = frozenset(
    (
        *("agent", "assistant", "bot", "client", "customer", "expert", "guest", "helper", "host"),
        *("me", "moderator", "participant", "speaker", "support", "system", "unknown", "user"),
        *("you",),
    )
)
"""What a transcript calls people who are not named; somebody may have such a surname, too."""

_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f])"  # With the accents that stand apart.
_WORD = re.compile(f"{_LETTER}++")
_TOKEN = re.compile(f"({BLACK}|{_LETTER}++)")
_FARTHEST = 2  # Signs between the parts of a name: " ", "-", ". ".
_WIDE = re.compile(r"[^\x00-\x7f]++(?: [^\x00-\x7f]++)*+")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_JOINERS = re.compile(r"(?<=[a-z])[\u200c\u200d]++(?=[a-z])", re.IGNORECASE)
_LINES = re.compile(r"([\t\r\n]++)")
_IN_A_ROW = re.compile(f"{BLACK}(?: ?{BLACK})++")
_EMAIL = r"(?<![\w.+%-])[\w.+%-]++@[\w-]++(?:\.[\w-]++)++"
_DASHES = r"\-\u2010-\u2015"
# From eight digits on, however they are grouped, unless they are a date, an amount, the beginning
# of a UUID, or part of something longer: an id, a hash, a time.
REACHED = re.compile(
    f"{_EMAIL}|"
    rf"(?<!\w)(?<!\w[{_DASHES}])(?<![0-9][.:,])"
    r"\+?\(?(?!\d{4}-\d\d-\d\d(?!\d)|(?:\d{1,2}[./]){2}\d{4}(?![\w./-]))"
    r"(?!\d+\.(?:\d{1,3}(?!\d|[./()-]{1,2}\d)|\d{5}))(?![0-9a-f]{8}-[0-9a-f]{4}-)"
    rf"\d(?:[ \u00a0\u202f()/.{_DASHES}]{{0,2}}\d){{7,21}}(?![\w:]|,\d)",
    re.IGNORECASE,
)

Redact = Callable[[str], str]


def redactor(names: Iterable[str]) -> Redact:
    """Return what blacks out these names, whole and in parts, e-mail addresses and phone numbers.

    Names are found as words, whatever their case and accents; the blackening is of one length, so
    that nothing can be guessed from it. What is invisible goes: a name could hide in it.
    """
    words: set[str] = set()
    short: set[str] = set()
    wide: set[str] = set()
    for name in map(_visible, names):
        parts = _WORD.findall(_key(name))
        long = {part for part in parts if len(part) >= _SHORTEST_PART}
        if all(part in ROLES for part in parts):
            continue
        if any(unicodedata.category(each) == "Lo" for each in name):
            # A script without capitals: often one without spaces between words, either.
            wide |= {part for part in (name.strip(), *name.split()) if len(part) > 1}
            continue
        short |= {part for part in parts if long and part not in long}
        words |= {part for part in (*(long or parts), "".join(parts)) if len(part) > 1}
    lengths = sorted({len(each) for each in wide}, reverse=True)

    def redact(text: str) -> str:
        black = REACHED.sub(BLACK, _visible(text))
        if wide:
            black = _WIDE.sub(lambda found: _without(found[0], wide, lengths), black)
        black = _WORD.sub(lambda found: BLACK if _key(found[0]) in words else found[0], black)
        if short:
            black = _without_beside(black, short)
        return _IN_A_ROW.sub(BLACK, black)

    return redact


def _without(text: str, wide: AbstractSet[str], lengths: Sequence[int]) -> str:
    """Black out names that stand among other letters, the longest first."""
    found, place = [], 0
    while place < len(text):
        here = next((size for size in lengths if text[place : place + size] in wide), 0)
        found.append(BLACK if here else text[place])
        place += here or 1
    return "".join(found)


def _without_beside(text: str, short: AbstractSet[str]) -> str:
    """Take away the short parts of names that stand right beside what is black."""
    *parts, end = _TOKEN.split(text)
    kept: list[tuple[str, str]] = []  # What stands before a token, and the token.
    for before, token in zip(parts[::2], parts[1::2], strict=True):
        near = kept and kept[-1][1] == BLACK and 0 < len(before) <= _FARTHEST
        if not (near and _key(token) in short):
            kept.append((before, token))
    shown = [end]
    black = False
    gap = end
    for before, token in reversed(kept):
        if black and 0 < len(gap) <= _FARTHEST and _key(token) in short:
            shown[-1] = gap = before  # It goes with what stood between.
            continue
        shown += [token, before]
        black, gap = token == BLACK, before
    return "".join(reversed(shown))


def _key(text: str) -> str:
    """Return a text by which names are compared: in small letters, without accents."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold()


def _visible(text: str) -> str:
    """Return a text without anything that does not show; lines and tabs stay."""
    cleaned = "".join(
        clean(part) if n % 2 == 0 else part for n, part in enumerate(_LINES.split(text))
    )
    return _JOINERS.sub("", cleaned)
