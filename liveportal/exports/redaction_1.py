"""Redaction of page format 1: black out the names and contact details of other people.

It takes linear time for any text and any number of names: words are looked up in sets, and no
pattern scans the same text twice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from liveportal.domain.text import clean

BLACK = "\N{FULL BLOCK}" * 5
_SHORTEST_PART = 3  # "de", "la": common words, not names.
ROLES = frozenset(
    (
        *("agent", "assistant", "bot", "client", "customer", "expert", "guest", "helper", "host"),
        *("me", "moderator", "participant", "speaker", "support", "system", "unknown", "user"),
        *("you",),
    )
)
"""The names of roles in transcripts; a person's surname may be one of them, too."""

_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f])"  # With combining accents.
_WORD = re.compile(f"{_LETTER}++")
_TOKEN = re.compile(f"({BLACK}|{_LETTER}++)")
_FARTHEST = 2  # Characters between the parts of a name: " ", "-", ". ".
_WIDE = re.compile(r"[^\x00-\x7f]++(?: [^\x00-\x7f]++)*+")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_JOINERS = re.compile(r"(?<=[a-z])[\u200c\u200d]++(?=[a-z])", re.IGNORECASE)
_LINES = re.compile(r"([\t\r\n]++)")
_IN_A_ROW = re.compile(f"{BLACK}(?: ?{BLACK})++")
_EMAIL = r"(?<![\w.+%-])[\w.+%-]++@[\w-]++(?:\.[\w-]++)++"
_DASHES = r"\-\u2010-\u2015"
# At least eight digits, in any grouping, unless they are a date, an amount, the beginning of a
# UUID, or part of a longer text: an id, a hash, a time.
CONTACT = re.compile(
    f"{_EMAIL}|"
    rf"(?<!\w)(?<!\w[{_DASHES}])(?<![0-9][.:,])"
    r"\+?\(?(?!\d{4}-\d\d-\d\d(?!\d)|(?:\d{1,2}[./]){2}\d{4}(?![\w./-]))"
    r"(?!\d+\.(?:\d{1,3}(?!\d|[./()-]{1,2}\d)|\d{5}))(?![0-9a-f]{8}-[0-9a-f]{4}-)"
    rf"\d(?:[ \u00a0\u202f()/.{_DASHES}]{{0,2}}\d){{7,21}}(?![\w:]|,\d)",
    re.IGNORECASE,
)

Redact = Callable[[str], str]


def redactor(names: Iterable[str]) -> Redact:
    """Return a function that blacks out these names and their parts, e-mail addresses and phones.

    Names are matched as words, regardless of case and accents. Every blacked out part has the same
    length, so that nothing can be guessed from it. Invisible characters are removed: they could
    hide a name.
    """
    words: set[str] = set()
    short: set[str] = set()
    wide: set[str] = set()
    for name in map(_visible, names):
        parts = _WORD.findall(_key(name))
        long = {part for part in parts if len(part) >= _SHORTEST_PART}
        if all(part in ROLES for part in parts):
            continue
        if any(unicodedata.category(character) == "Lo" for character in name):
            # Scripts without capitals often have no spaces between words.
            wide |= {part for part in (name.strip(), *name.split()) if len(part) > 1}
            continue
        short |= {part for part in parts if long and part not in long}
        words |= {part for part in (*(long or parts), "".join(parts)) if len(part) > 1}
    lengths = sorted({len(part) for part in wide}, reverse=True)

    def redact(text: str) -> str:
        black = CONTACT.sub(BLACK, _visible(text))
        if wide:
            black = _WIDE.sub(lambda match: _cover_wide(match[0], wide, lengths), black)
        black = _WORD.sub(lambda match: BLACK if _key(match[0]) in words else match[0], black)
        if short:
            black = _drop_short_parts(black, short)
        return _IN_A_ROW.sub(BLACK, black)

    return redact


def _cover_wide(text: str, wide: AbstractSet[str], lengths: Sequence[int]) -> str:
    """Black out names within a run of letters, the longest first."""
    pieces, position = [], 0
    while position < len(text):
        size = next((n for n in lengths if text[position : position + n] in wide), 0)
        pieces.append(BLACK if size else text[position])
        position += size or 1
    return "".join(pieces)


def _drop_short_parts(text: str, short: AbstractSet[str]) -> str:
    """Remove short parts of names that are next to a blacked out part."""
    *parts, end = _TOKEN.split(text)
    kept: list[tuple[str, str]] = []  # The text before a token, and the token.
    for before, token in zip(parts[::2], parts[1::2], strict=True):
        is_beside = kept and kept[-1][1] == BLACK and 0 < len(before) <= _FARTHEST
        if not (is_beside and _key(token) in short):
            kept.append((before, token))
    output = [end]
    black = False
    gap = end
    for before, token in reversed(kept):
        if black and 0 < len(gap) <= _FARTHEST and _key(token) in short:
            output[-1] = gap = before  # Remove the text between, too.
            continue
        output += [token, before]
        black, gap = token == BLACK, before
    return "".join(reversed(output))


def _key(text: str) -> str:
    """Return the text by which names are compared: lower case, without accents."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).casefold()


def _visible(text: str) -> str:
    """Return a text without invisible characters; line breaks and tabs are kept."""
    cleaned = "".join(
        clean(part) if n % 2 == 0 else part for n, part in enumerate(_LINES.split(text))
    )
    return _JOINERS.sub("", cleaned)
