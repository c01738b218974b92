r"""The ways in which a text can be read, each with where its letters are written.

A name is written in many ways: `\u00fc` in JSON, `&uuml;` in HTML and WebVTT, `%C3%BC` in a link,
with accents as signs of their own, in wide letters, with tags or invisible signs in between. A
`Reading` is the text that a decoder makes of another, and leads back to the places in the source.
Every decoder that the program has is tried, alone and with the others, so that nothing that one of
them can read stays unseen. All of it takes linear time: no pattern runs twice over the same text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, combinations
from typing import NamedTuple

from liveportal.domain.text import UNWANTED

Piece = tuple[int, int]
"""A place in the source: from its first character to the one after its last."""

_ROUNDS = 3
"""How often a text is decoded: `\\u0026uuml;` takes two rounds."""


class Reading:
    """A text that was made of another one, segment by segment.

    A segment has as many letters as its source, or is one unit that goes as a whole (an entity).
    """

    __slots__ = ("_at", "_below", "_source", "_width", "text")

    def __init__(self, text: str, below: Reading | None = None) -> None:
        self.text = text
        self._below = below
        self._at: Sequence[int] = (0,)
        self._source: Sequence[int] = (0,)
        self._width: Sequence[int] = (0,)

    def pieces(self, start: int, end: int) -> list[Piece]:
        """Return where the letters from `start` to `end` are written, in order."""
        found: list[Piece] = []
        number = bisect_right(self._at, start) - 1
        while number < len(self._at) and self._at[number] < end:
            at, source, width = self._at[number], self._source[number], self._width[number]
            number += 1
            if width > 0:
                _extend(found, source, source + width)
            elif not width:
                after = self._at[number] if number < len(self._at) else len(self.text)
                _extend(found, source + max(start, at) - at, source + min(end, after) - at)
        if self._below is None:
            return found
        below: list[Piece] = []
        for piece in found:
            for first, last in self._below.pieces(*piece):
                _extend(below, first, last)
        return below


def _extend(pieces: list[Piece], start: int, end: int) -> None:
    if pieces and pieces[-1][1] == start:
        pieces[-1] = (pieces[-1][0], end)
    else:
        pieces.append((start, end))


class _Builder:
    """Makes a reading from left to right."""

    def __init__(self, below: Reading) -> None:
        self._below = below
        self._parts: list[str] = []
        self._length = 0
        self._at: list[int] = []
        self._source: list[int] = []
        self._width: list[int] = []

    def add(self, text: str, source: int, width: int = 0) -> None:
        """Add a text from `source` on, letter by letter; with a width, as one unit of it."""
        if text:
            self._parts.append(text)
            self._at.append(self._length)
            self._source.append(source)
            self._width.append(width)
            self._length += len(text)

    def insert(self, text: str) -> None:
        """Add a text that is written nowhere."""
        self.add(text, 0, -1)

    def built(self) -> Reading:
        """Return the reading."""
        reading = Reading("".join(self._parts), self._below)
        if self._at:
            reading._at, reading._source, reading._width = self._at, self._source, self._width  # noqa: SLF001 -- Its builder.
        return reading


# --- decoders -------------------------------------------------------------------------------------

_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}"
    r"|\\u\{0*+[0-9a-fA-F]{1,6}\}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[\"\\/bfnrt]"
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,40};?|#[xX][0-9a-fA-F]{1,40};?|[A-Za-z][^\t\n\f <&#;]{1,31};?)")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})++")
# The tags within a line, as our readers of subtitles drop them and a browser does; those of cells
# and paragraphs part words.
_INLINE = (
    "a|abbr|b|c|cite|code|em|font|i|kbd|lang|mark|q|rp|rt|ruby|s|samp|small|span|strong|sub|sup|u"
    "|v|var|wbr"
)
_TAG = re.compile(
    rf"</?(?:{_INLINE})(?:[\s./][^<>]{{0,500}})?>|<![^<>]{{0,500}}>|</?>|<[0-9:.]{{1,20}}>"
    r"|\{\\[^{}]{0,200}\}",
)
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LARGEST_CHARACTER = 0x10FFFF


def _escape(text: str) -> Iterator[tuple[str, int]]:
    digits = text[2:].strip("{}")
    if text[1] not in "uUx":
        yield _SIMPLE.get(text[1], text[1]), len(text)
    elif len(text) == 12:  # noqa: PLR2004 -- Two escapes, for a character beyond the first plane.
        high, low = int(text[2:6], 16) - 0xD800, int(text[8:], 16) - 0xDC00
        yield chr(0x10000 + (high << 10) + low), len(text)
    else:
        code = int(digits, 16)
        yield (chr(code) if code <= _LARGEST_CHARACTER else text), len(text)


def _entity(text: str) -> Iterator[tuple[str, int]]:
    yield html.unescape(text), len(text)


def _percent(text: str) -> Iterator[tuple[str, int]]:
    content = bytes.fromhex(text.replace("%", ""))
    try:
        decoded = content.decode()
    except UnicodeDecodeError:
        decoded = content.decode("latin-1")
        yield from ((character, 3) for character in decoded)
        return
    yield from ((character, 3 * len(character.encode())) for character in decoded)


def _nothing(text: str) -> Iterator[tuple[str, int]]:
    yield "", len(text)


class _Decoder(NamedTuple):
    """What it decodes, and what that becomes: texts, each with how much of the source it is."""

    pattern: re.Pattern[str]
    decode: Callable[[str], Iterator[tuple[str, int]]]


JSON = _Decoder(_ESCAPE, _escape)
_DECODERS = (
    JSON,
    _Decoder(_ENTITY, _entity),
    _Decoder(_PERCENT, _percent),
    _Decoder(_TAG, _nothing),
)
_SEEN = _Decoder(re.compile(rf"(?![\t\r\n])(?:{UNWANTED})"), _nothing)


@lru_cache(maxsize=64)
def _together(decoders: tuple[_Decoder, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"({each.pattern.pattern})" for each in decoders))


def _decoded(reading: Reading, decoders: tuple[_Decoder, ...]) -> Reading | None:
    """Return what decoders make of a reading; None where they find nothing."""
    pattern = _together(decoders)
    text = reading.text
    if not pattern.search(text):
        return None
    builder = _Builder(reading)
    place = 0
    for match in pattern.finditer(text):
        builder.add(text[place : match.start()], place)
        place = match.start()
        for decoded, width in decoders[(match.lastindex or 1) - 1].decode(match[0]):
            builder.add(decoded, place, width)
            place += width
    builder.add(text[place:], place)
    found = builder.built()
    return None if found.text == text else found


def readings(text: str, *, escaped: bool = False) -> Iterator[Reading]:
    """Yield the ways in which a text can be read, the plain one first.

    An `escaped` text is what stands between the quotes of a JSON string: its escapes are units.
    """
    plain = Reading(text)
    if escaped:
        plain = _decoded(plain, (JSON,)) or plain
    yield _seen(plain)
    present = _needed(plain)
    some = chain.from_iterable(combinations(present, size) for size in range(1, len(present) + 1))
    for decoders in some:
        reading: Reading | None = plain
        for _ in range(_ROUNDS):
            assert reading is not None  # noqa: S101 (the loop ends before)
            if (reading := _decoded(reading, decoders)) is None:
                break
            yield _seen(reading)


def _needed(plain: Reading) -> list[_Decoder]:
    """Return the decoders that find something in a text, or in what the others make of it."""
    texts = [plain.text]
    reading: Reading | None = plain
    for _ in range(_ROUNDS):
        if reading is None or (reading := _decoded(reading, _DECODERS)) is None:
            break
        texts.append(reading.text)
    return [each for each in _DECODERS if any(map(each.pattern.search, texts))]


def _seen(reading: Reading) -> Reading:
    """Return what is seen of a reading: no terminal's sequences, nothing invisible."""
    if reading.text.isascii() and reading.text.isprintable():
        return reading
    return _decoded(reading, (_SEEN,)) or reading


# --- letters --------------------------------------------------------------------------------------

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_HIGHEST_KEPT = 9
"""The combining class up to which a sign is a letter's own: nukta, voicing, virama. Accents, the
points of Hebrew and Arabic, and tone marks have higher ones."""
_FOLDED: dict[int, int | str] = {
    **str.maketrans("\u0142\u00f8\u0111\u0131\u0127\u00f0", "lodihd"),
    0xE6: "ae",
    0x153: "oe",
    0xFE: "th",
    0x640: "",
}
CASED, WIDE, SIGN = 1, 2, 0
"""A letter of a script in which names are words; of one in which they may stand among other letters
(Chinese, Thai, Arabic with its prefixes, Korean with its particles); and what is no letter."""

_HUMP = re.compile(
    "(?<=[a-z\u00df-\u00f6\u00f8-\u00ff\u03b1-\u03c9\u0430-\u044f\u0451])"
    "(?=[A-Z\u00c0-\u00d6\u00d8-\u00de\u0391-\u03a9\u0410-\u042f\u0401])"
)
# Scripts that have no spaces between words, and a line may end anywhere; Korean lines may, too.
_UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_HANGUL = "\u1100-\u11ff"
_CUES = r"(?:[!-~]{1,40}[^\S\n]*\n)?[^\n]{0,80}-->[^\n]{0,200}\n\s*+"
_BROKEN = re.compile(
    rf"(?<=[{_UNSPACED}])(?:\s++(?:(?<=\n){_CUES})?)(?=[{_UNSPACED}])"
    rf"|(?<=[{_HANGUL}])[^\S\n]*+\n\s*+(?:{_CUES})?(?=[{_HANGUL}])"
)


@lru_cache(maxsize=65_536)
def _fold(character: str) -> str:
    if unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    return _unaccented(_unaccented(character).casefold().translate(_FOLDED))


def _unaccented(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return "".join(each for each in parts if unicodedata.combining(each) <= _HIGHEST_KEPT)


def key(text: str) -> str:
    """Return a text by which names are compared: small letters, without accents and joiners."""
    if text.isascii():
        return text.lower()
    return "".join(each.lower() if each.isascii() else _fold(each) for each in text)


@lru_cache(maxsize=65_536)
def letter(character: str) -> int:
    """Return what kind of letter a folded character is: CASED, WIDE, or a SIGN."""
    category = unicodedata.category(character)
    if category in ("Lo", "Mn", "Mc") or character in "\u3005\u30fc\u0e46\u0ec6":
        return WIDE
    return CASED if category[0] == "L" else SIGN


def folded(reading: Reading) -> Reading:
    """Return a reading by which names are compared, as `key` does."""
    text = reading.text
    if text.isascii():
        return Reading(text.lower(), reading)
    builder = _Builder(reading)
    run: list[str] = []
    place = begun = 0
    for match in _NOT_ASCII.finditer(text):
        run.append(text[place : match.start()].lower())
        place = match.end()
        letters = _fold(match[0])
        if len(letters) == 1:
            run.append(letters)
            continue
        builder.add("".join(run), begun)
        builder.add(letters, match.start(), 1)
        run.clear()
        begun = place
    run.append(text[place:].lower())
    builder.add("".join(run), begun)
    return builder.built()


def parted(reading: Reading) -> Reading | None:
    """Return a reading in which `chatMina` is two words; None where there is no such word."""
    builder = _Builder(reading)
    place = 0
    for match in _HUMP.finditer(reading.text):
        builder.add(reading.text[place : match.start()], place)
        builder.insert(" ")
        place = match.start()
    builder.add(reading.text[place:], place)
    return builder.built() if place else None


def unbroken(reading: Reading) -> Reading:
    """Return a folded reading without the blanks and line ends within words, nor cues between."""
    if reading.text.isascii():
        return reading
    builder = _Builder(reading)
    place = 0
    for match in _BROKEN.finditer(reading.text):
        builder.add(reading.text[place : match.start()], place)
        place = match.end()
    builder.add(reading.text[place:], place)
    return builder.built() if place else reading


def is_unseen(text: str) -> bool:
    """Tell whether nothing of a text is seen: joiners, accents that stand apart."""
    return not text.isascii() and not key(text)
