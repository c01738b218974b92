"""Blacking out other people in what is handed on: their names, and how they can be reached.

A name is looked for in every reading of a text (`spellings`), and blacked out where it is written,
so that no decoder of this program finds it again. Everything else stays as it was written: JSON
stays JSON, subtitles stay subtitles. It takes linear time, however many the names.

What is written here is part of a page format (`pages`): whoever changes what is blacked out adds a
format, and keeps this one for the packs that were made with it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from liveportal.domain.text import clean
from liveportal.exports.redaction_1 import BLACK, REACHED, ROLES
from liveportal.exports.spellings import (
    CASED,
    WIDE,
    Piece,
    Reading,
    folded,
    is_unseen,
    key,
    letter,
    parted,
    readings,
    unbroken,
)

_SHORTEST_PART = 3  # "de", "la": words, not somebody's name.
_FARTHEST = 2  # Signs between the parts of a name: " ", "-", ". ".
_ROUNDS = 8
_LINES = re.compile(r"([\t\r\n]++)")
_LETTERS = re.compile(r"[^\W\d_]++")
_TOKEN = re.compile(rf"{BLACK}|[^\W\d_]++")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]++")
_IN_A_ROW = re.compile(f"{BLACK}(?: ?{BLACK})++")
_UMLAUTS = str.maketrans({"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00e5": "aa"})
_GIVEN_NAMES = {3: ((1, 3),), 4: ((0, 2), (2, 4))}
"""What may be the given name, or the family name, of a Chinese, Japanese or Korean name of so many
characters that is written in one word."""
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]+")

_JSON_VALUE = re.compile(r'"((?:[^"\\]++|\\.)*+)"(\s*+:)?|-?[0-9][0-9.eE+-]*+', re.DOTALL)
_TIME_KEY = re.compile(
    r"(?:.*_)?(?:at|ts|time|timestamp|start|end|offset|duration|ms)", re.IGNORECASE
)
_TAGS = (
    "a|abbr|address|article|aside|audio|b|base|blockquote|body|br|button|c|canvas|caption|center"
    "|cite|code|col|dd|del|details|div|dl|dt|em|embed|fieldset|figure|font|footer|form|frame|h[1-6]"
    "|head|header|hr|html|i|iframe|img|input|ins|kbd|label|lang|legend|li|link|main|map|mark|meta"
    "|nav|object|ol|option|p|param|pre|q|rt|ruby|s|samp|script|section|select|small|source|span"
    "|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title"
    "|tr|track|u|ul|v|var|video"
)
_IS_MARKUP = re.compile(r"</|-->|<!doctype", re.IGNORECASE)
_MARKUP = re.compile(
    rf"</?(?:{_TAGS})(?=[\s>/.])|\AWEBVTT|^(?-i:NOTE|STYLE|REGION)(?=\s|$)"
    r"|(?<=\s)(?:align|line|position|region|size|vertical)(?=:[^\s:]{1,40}(?:\s|$))",
    re.IGNORECASE | re.MULTILINE,
)
"""What a file of markup needs to be one: no name, even where somebody is called Li or Ruby."""


class Redactor:
    """Blacks out names, whole and in parts, e-mail addresses and phone numbers.

    Called with a text it returns the text with them blacked out; the blackening is of one length,
    so that nothing can be guessed from it. What is invisible goes.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._words: set[str] = set()
        self._short: set[str] = set()
        self._wide: set[str] = set()
        self._lone: set[str] = set()
        for name in names:
            self._add(visible(name))
        self._lengths = sorted({len(each) for each in self._wide}, reverse=True)

    def __call__(self, text: str) -> str:
        """Return a text with all of it blacked out."""
        return self._black(visible(text))

    def document(self, text: str) -> str | None:
        """Return the text of a file with all of it blacked out; None where that is not possible.

        What was JSON, as a whole or line by line, is JSON still, and markup keeps its tags.
        """
        text = visible(text)
        if _is_json(text):
            black = self._json(text)
            return black if _is_json(black) else None
        lines = text.splitlines(keepends=True)
        parts: list[str] = []
        for is_record, group in groupby(lines, key=_is_record):
            if not is_record:
                parts.append(self._black("".join(group), markup=True))
                continue
            for line in group:
                black = self._json(line)
                if not _is_json(black):
                    return None
                parts.append(black)
        return "".join(parts)

    def finds_name(self, text: str) -> bool:
        """Tell whether anybody's name can be read in a text."""
        return any(any(self._names(reading)) for reading in readings(visible(text)))

    # --- names ------------------------------------------------------------------------------------

    def _add(self, name: str) -> None:
        """Take in a name: its parts by the rules of their scripts, and those of a script joined."""
        name = unicodedata.normalize("NFC", name)
        letters = key(name)
        cased = _parts(letters, CASED)
        wide = _parts(letters, WIDE)
        if not wide and all(part in ROLES for part in cased):
            return
        long = {part for part in cased if len(part) >= _SHORTEST_PART}
        self._short |= {part for part in cased if long and part not in long}
        joined = {"".join(cased), *(_parts(key(name.lower().translate(_UMLAUTS)), CASED))}
        joined = {part for part in joined if part not in ROLES and len(part) >= _SHORTEST_PART}
        self._words |= {part for part in (*(long or cased), *joined) if len(part) > 1}
        whole = "".join(wide)
        self._wide |= {part for part in (*wide, whole) if len(part) > 1}
        self._lone |= {part for part in wide if len(part) == 1}
        for word in _CJK.findall(name):
            pieces = _GIVEN_NAMES.get(len(word), ())
            self._wide |= {key(word[start:end]) for start, end in pieces}

    def _names(self, reading: Reading) -> Iterator[list[Piece]]:
        """Yield where names are written in a reading."""
        letters = folded(reading)
        yield from self._cased(letters)
        if (humps := parted(reading)) is not None:
            yield from self._cased(folded(humps))
        if (self._wide or self._lone) and not letters.text.isascii():
            yield from self._among_letters(unbroken(letters))

    def _cased(self, letters: Reading) -> Iterator[list[Piece]]:
        for match in _LETTERS.finditer(letters.text):
            if match[0] in self._words:
                yield letters.pieces(*match.span())
            elif not match[0].isascii():
                for start, end in _cased_parts(match[0]):
                    if match[0][start:end] in self._words:
                        yield letters.pieces(match.start() + start, match.start() + end)

    def _among_letters(self, letters: Reading) -> Iterator[list[Piece]]:
        """Yield names among other letters, the longest first; lone characters by themselves."""
        text = letters.text
        for run in _NOT_ASCII.finditer(text):
            place, end = run.span()
            while place < end:
                size = next((n for n in self._lengths if text[place : place + n] in self._wide), 0)
                if not size and text[place] in self._lone and _is_lone(text, place):
                    size = 1
                if size:
                    yield letters.pieces(place, place + size)
                place += size or 1

    def _beside(self, reading: Reading) -> Iterator[list[Piece]]:
        """Yield the short parts of names that stand right beside what is black, with the gap."""
        letters = folded(reading)
        tokens = [match.span() for match in _TOKEN.finditer(letters.text)]
        for one, two in pairwise(tokens):
            between = letters.text[one[1] : two[0]]
            if len(between) > _FARTHEST or not set(between) <= set(" .-'\u2019"):
                continue
            first, last = letters.text[slice(*one)], letters.text[slice(*two)]
            if first == BLACK and last in self._short:
                yield letters.pieces(one[1], two[1])
            elif last == BLACK and first in self._short:
                yield letters.pieces(one[0], two[0])

    # --- blacking out -----------------------------------------------------------------------------

    def _black(self, text: str, *, escaped: bool = False, markup: bool = False) -> str:
        """Black out a text, over and over until nothing is found in what is left."""
        for _ in range(_ROUNDS):
            black = _IN_A_ROW.sub(BLACK, self._once(text, escaped=escaped, markup=markup))
            if black == text:
                break
            text = black
        return text

    def _once(self, text: str, *, escaped: bool, markup: bool) -> str:
        found: list[list[Piece]] = []
        for number, reading in enumerate(readings(text, escaped=escaped)):
            found += ([*reading.pieces(*each.span())] for each in REACHED.finditer(reading.text))
            found += self._names(reading)
            if not number and self._short:
                found += self._beside(reading)
        if not found:
            return text
        markup = markup and _IS_MARKUP.search(text) is not None
        kept = [each.span() for each in _MARKUP.finditer(text)] if markup else []
        return _without(text, [each for each in found if not _touches(each, kept)])

    def _json(self, text: str) -> str:
        """Black out the strings of JSON, each by itself, and numbers that reach somebody."""
        last_key = ""

        def value(match: re.Match[str]) -> str:
            nonlocal last_key
            content, colon = match[1], match[2]
            timed = bool(_TIME_KEY.fullmatch(last_key))
            if content is None:
                is_reached = match[0].isdigit() and REACHED.fullmatch(match[0]) and not timed
                return f'"{BLACK}"' if is_reached else match[0]
            if colon:
                last_key = content
            elif timed and content.replace(".", "").isdigit():
                return match[0]
            return f'"{self._black(content, escaped=True)}"{colon or ""}'

        return _JSON_VALUE.sub(value, text)


def redactor(names: Iterable[str]) -> Redactor:
    """Return what blacks out these names, e-mail addresses and phone numbers."""
    return Redactor(names)


def _without(text: str, found: Iterable[Sequence[Piece]]) -> str:
    """Black out what was found, piece by piece.

    What stands between the pieces of a name stays if it can be seen: tags, the end of a line.
    """
    cuts: list[Piece] = []
    for pieces in found:
        for number, (first, last) in enumerate(pieces):
            if number and is_unseen(text[pieces[number - 1][1] : first]):
                cuts[-1] = (cuts[-1][0], last)
            else:
                cuts.append((first, last))
    cuts.sort()
    parts: list[str] = []
    place = 0
    for start, end in cuts:
        if start >= place:
            parts += (text[place:start], BLACK)
        place = max(place, end)
    parts.append(text[place:])
    return "".join(parts)


def _touches(pieces: Sequence[Piece], spans: Sequence[Piece]) -> bool:
    """Tell whether any of the pieces overlaps any of the spans, which are in order."""
    for start, end in pieces:
        place = bisect_right(spans, (start, len(spans)))
        if any(
            first < end and start < last for first, last in spans[max(place - 1, 0) : place + 2]
        ):
            return True
    return False


def _parts(letters: str, kind: int) -> list[str]:
    """Return the parts of a folded name that are of one kind of script."""
    groups = groupby(letters, key=letter)
    return ["".join(group) for each, group in groups if each == kind]


def _cased_parts(word: str) -> Iterator[Piece]:
    """Yield where the parts of a run of letters are that are of scripts with words of their own."""
    place = 0
    for kind, group in groupby(word, key=letter):
        size = sum(1 for _ in group)
        if kind == CASED:
            yield place, place + size
        place += size


def _is_lone(text: str, place: int) -> bool:
    """Tell whether a character has no other letter of such a script beside it."""
    beside = (text[place - 1 : place], text[place + 1 : place + 2])
    return not any(each and letter(each) == WIDE for each in beside)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_record(line: str) -> bool:
    return line.lstrip().startswith(("{", "[")) and _is_json(line)


def visible(text: str) -> str:
    """Return a text without anything that does not show; lines and tabs stay."""
    return "".join(clean(part) if n % 2 == 0 else part for n, part in enumerate(_LINES.split(text)))
