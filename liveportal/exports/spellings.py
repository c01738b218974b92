r"""Decode a text in every supported way, and map the decoded letters back to the source.

A name can be written in many ways: `\u00fc` in JSON, `&uuml;` in HTML and WebVTT, `%C3%BC` in a
link, with combining accents, with full-width letters, with tags or invisible characters in between.
A `DecodedText` is the output of one decoder and maps each letter to its span in the source. Every
decoder of the program is tried, alone and combined with the others, so that no name that one of
them can read is missed. It takes linear time: no pattern scans the same text twice.
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

Span = tuple[int, int]
"""A part of the source: [start, end) in characters."""

_ROUNDS = 3
"""The number of times that a text is decoded: `\\u0026uuml;` needs two rounds."""


class DecodedText:
    """A text that was decoded from another one, segment by segment.

    A segment has as many letters as its source, or is a single unit such as an entity.
    """

    __slots__ = ("_at", "_parent", "_source", "_width", "text")

    def __init__(self, text: str, source: DecodedText | None = None) -> None:
        self.text = text
        self._parent = source
        self._at: Sequence[int] = (0,)
        self._source: Sequence[int] = (0,)
        self._width: Sequence[int] = (0,)

    def spans(self, start: int, end: int) -> list[Span]:
        """Return the spans of the source for the letters from `start` to `end`, in order."""
        spans: list[Span] = []
        index = bisect_right(self._at, start) - 1
        while index < len(self._at) and self._at[index] < end:
            segment_start, source, width = self._at[index], self._source[index], self._width[index]
            index += 1
            if width > 0:
                _append_span(spans, source, source + width)
            elif not width:
                after = self._at[index] if index < len(self._at) else len(self.text)
                _append_span(
                    spans,
                    source + max(start, segment_start) - segment_start,
                    source + min(end, after) - segment_start,
                )
        if self._parent is None:
            return spans
        outer_spans: list[Span] = []
        for span in spans:
            for first, last in self._parent.spans(*span):
                _append_span(outer_spans, first, last)
        return outer_spans


def _append_span(spans: list[Span], start: int, end: int) -> None:
    if spans and spans[-1][1] == start:
        spans[-1] = (spans[-1][0], end)
    else:
        spans.append((start, end))


class _Builder:
    """Builds a decoded text from left to right."""

    def __init__(self, source: DecodedText) -> None:
        self._parent = source
        self._parts: list[str] = []
        self._length = 0
        self._at: list[int] = []
        self._source: list[int] = []
        self._width: list[int] = []

    def add(self, text: str, source: int, width: int = 0) -> None:
        """Add a text that starts at `source`: letter by letter or, with a width, as one unit."""
        if text:
            self._parts.append(text)
            self._at.append(self._length)
            self._source.append(source)
            self._width.append(width)
            self._length += len(text)

    def insert(self, text: str) -> None:
        """Add a text that has no source."""
        self.add(text, 0, -1)

    def build(self) -> DecodedText:
        """Return the decoded text."""
        result = DecodedText("".join(self._parts), self._parent)
        if self._at:
            result._at, result._source, result._width = self._at, self._source, self._width  # noqa: SLF001 -- Its builder.
        return result


# --- decoders -------------------------------------------------------------------------------------

_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}"
    r"|\\u\{0*+[0-9a-fA-F]{1,6}\}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[\"\\/bfnrt]"
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,40};?|#[xX][0-9a-fA-F]{1,40};?|[A-Za-z][^\t\n\f <&#;]{1,31};?)")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})++")
# Inline tags, which our subtitle readers and browsers drop. Tags of cells and paragraphs separate
# words, so they are not included.
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


def _decode_escape(text: str) -> Iterator[tuple[str, int]]:
    digits = text[2:].strip("{}")
    if text[1] not in "uUx":
        yield _SIMPLE.get(text[1], text[1]), len(text)
    elif len(text) == 12:  # noqa: PLR2004 -- A surrogate pair.
        high, low = int(text[2:6], 16) - 0xD800, int(text[8:], 16) - 0xDC00
        yield chr(0x10000 + (high << 10) + low), len(text)
    else:
        code = int(digits, 16)
        yield (chr(code) if code <= _LARGEST_CHARACTER else text), len(text)


def _decode_entity(text: str) -> Iterator[tuple[str, int]]:
    yield html.unescape(text), len(text)


def _decode_percent(text: str) -> Iterator[tuple[str, int]]:
    content = bytes.fromhex(text.replace("%", ""))
    try:
        decoded = content.decode()
    except UnicodeDecodeError:
        decoded = content.decode("latin-1")
        yield from ((character, 3) for character in decoded)
        return
    yield from ((character, 3 * len(character.encode())) for character in decoded)


def _drop(text: str) -> Iterator[tuple[str, int]]:
    yield "", len(text)


class _Decoder(NamedTuple):
    """A pattern, and a function that yields the decoded texts with the width of their source."""

    pattern: re.Pattern[str]
    decode: Callable[[str], Iterator[tuple[str, int]]]


_JSON = _Decoder(_ESCAPE, _decode_escape)
_DECODERS = (
    _JSON,
    _Decoder(_ENTITY, _decode_entity),
    _Decoder(_PERCENT, _decode_percent),
    _Decoder(_TAG, _drop),
)
_INVISIBLE = _Decoder(re.compile(rf"(?![\t\r\n])(?:{UNWANTED})"), _drop)


@lru_cache(maxsize=64)
def _combined_pattern(decoders: tuple[_Decoder, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"({decoder.pattern.pattern})" for decoder in decoders))


def _decode(source: DecodedText, decoders: tuple[_Decoder, ...]) -> DecodedText | None:
    """Return a text decoded once by the decoders, or None if nothing changes."""
    pattern = _combined_pattern(decoders)
    text = source.text
    if not pattern.search(text):
        return None
    builder = _Builder(source)
    position = 0
    for match in pattern.finditer(text):
        builder.add(text[position : match.start()], position)
        position = match.start()
        for decoded, width in decoders[(match.lastindex or 1) - 1].decode(match[0]):
            builder.add(decoded, position, width)
            position += width
    builder.add(text[position:], position)
    result = builder.build()
    return None if result.text == text else result


def decodings(text: str, *, escaped: bool = False) -> Iterator[DecodedText]:
    """Yield all decodings of a text, first the plain text.

    An `escaped` text is the content of a JSON string: its escapes are treated as units.
    """
    plain = DecodedText(text)
    if escaped:
        plain = _decode(plain, (_JSON,)) or plain
    yield _strip_invisible(plain)
    present = _applicable_decoders(plain)
    subsets = chain.from_iterable(
        combinations(present, size) for size in range(1, len(present) + 1)
    )
    for decoders in subsets:
        decoded_text: DecodedText | None = plain
        for _ in range(_ROUNDS):
            assert decoded_text is not None  # noqa: S101 (the loop ends before)
            if (decoded_text := _decode(decoded_text, decoders)) is None:
                break
            yield _strip_invisible(decoded_text)


def _applicable_decoders(plain: DecodedText) -> list[_Decoder]:
    """Return the decoders that match a text or a decoding of it."""
    texts = [plain.text]
    decoded_text: DecodedText | None = plain
    for _ in range(_ROUNDS):
        if decoded_text is None or (decoded_text := _decode(decoded_text, _DECODERS)) is None:
            break
        texts.append(decoded_text.text)
    return [decoder for decoder in _DECODERS if any(map(decoder.pattern.search, texts))]


def _strip_invisible(decoded_text: DecodedText) -> DecodedText:
    """Return a text without terminal sequences and invisible characters."""
    if decoded_text.text.isascii() and decoded_text.text.isprintable():
        return decoded_text
    return _decode(decoded_text, (_INVISIBLE,)) or decoded_text


# --- letters --------------------------------------------------------------------------------------

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_HIGHEST_KEPT = 9
"""Marks up to this combining class belong to the letter: nukta, voicing, virama. Accents, Hebrew
and Arabic points, and tone marks have higher classes."""
_FOLDED: dict[int, int | str] = {
    **str.maketrans("\u0142\u00f8\u0111\u0131\u0127\u00f0", "lodihd"),
    0xE6: "ae",
    0x153: "oe",
    0xFE: "th",
    0x640: "",
}
CASED, WIDE, SIGN = 1, 2, 0
"""CASED: a letter of a script in which names are separate words. WIDE: a letter of a script in
which names may be part of a run of letters (Chinese, Thai, Arabic with its prefixes, Korean with
its particles). SIGN: no letter."""

_CAMEL_CASE = re.compile(
    "(?<=[a-z\u00df-\u00f6\u00f8-\u00ff\u03b1-\u03c9\u0430-\u044f\u0451])"
    "(?=[A-Z\u00c0-\u00d6\u00d8-\u00de\u0391-\u03a9\u0410-\u042f\u0401])"
)
# Scripts without spaces between words, where a line may break anywhere; Korean lines may, too.
_UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_HANGUL = "\u1100-\u11ff"
_CUES = r"(?:[!-~]{1,40}[^\S\n]*\n)?[^\n]{0,80}-->[^\n]{0,200}\n\s*+"
_BREAK_IN_WORD = re.compile(
    rf"(?<=[{_UNSPACED}])(?:\s++(?:(?<=\n){_CUES})?)(?=[{_UNSPACED}])"
    rf"|(?<=[{_HANGUL}])[^\S\n]*+\n\s*+(?:{_CUES})?(?=[{_HANGUL}])"
)


@lru_cache(maxsize=65_536)
def _fold_character(character: str) -> str:
    if unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    return _remove_accents(_remove_accents(character).casefold().translate(_FOLDED))


def _remove_accents(text: str) -> str:
    characters = unicodedata.normalize("NFKD", text)
    return "".join(
        character for character in characters if unicodedata.combining(character) <= _HIGHEST_KEPT
    )


def comparison_key(text: str) -> str:
    """Return the text by which names are compared: lower case, without accents and joiners."""
    if text.isascii():
        return text.lower()
    return "".join(
        character.lower() if character.isascii() else _fold_character(character)
        for character in text
    )


@lru_cache(maxsize=65_536)
def letter_kind(character: str) -> int:
    """Return the kind of a folded character: CASED, WIDE or SIGN."""
    category = unicodedata.category(character)
    if category in ("Lo", "Mn", "Mc") or character in "\u3005\u30fc\u0e46\u0ec6":
        return WIDE
    return CASED if category[0] == "L" else SIGN


def fold(source: DecodedText) -> DecodedText:
    """Return a decoded text folded for comparison, as `comparison_key` does."""
    text = source.text
    if text.isascii():
        return DecodedText(text.lower(), source)
    builder = _Builder(source)
    run: list[str] = []
    position = run_start = 0
    for match in _NOT_ASCII.finditer(text):
        run.append(text[position : match.start()].lower())
        position = match.end()
        letters = _fold_character(match[0])
        if len(letters) == 1:
            run.append(letters)
            continue
        builder.add("".join(run), run_start)
        builder.add(letters, match.start(), 1)
        run.clear()
        run_start = position
    run.append(text[position:].lower())
    builder.add("".join(run), run_start)
    return builder.build()


def split_camel_case(source: DecodedText) -> DecodedText | None:
    """Return a text with words such as `chatMina` split in two, or None if there are none."""
    builder = _Builder(source)
    position = 0
    for match in _CAMEL_CASE.finditer(source.text):
        builder.add(source.text[position : match.start()], position)
        builder.insert(" ")
        position = match.start()
    builder.add(source.text[position:], position)
    return builder.build() if position else None


def join_broken_words(source: DecodedText) -> DecodedText:
    """Return a folded text without the spaces, line breaks and cue headers within words."""
    if source.text.isascii():
        return source
    builder = _Builder(source)
    position = 0
    for match in _BREAK_IN_WORD.finditer(source.text):
        builder.add(source.text[position : match.start()], position)
        position = match.end()
    builder.add(source.text[position:], position)
    return builder.build() if position else source


def is_invisible(text: str) -> bool:
    """Return True if a text is invisible: only joiners and combining accents."""
    return not text.isascii() and not comparison_key(text)
