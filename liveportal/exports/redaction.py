"""Redaction of page format 2: black out the names and contact details of other people.

A name is searched in every decoding of a text (`spellings`) and blacked out in the source, so that
no decoder of this program finds it again. Everything else stays unchanged: JSON stays JSON,
subtitles stay subtitles. It takes linear time for any number of names.

This module is part of a page format (`pages`). A change of what is blacked out needs a new format;
this one must stay for existing packs.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from liveportal.domain.text import clean
from liveportal.exports.redaction_1 import BLACK, CONTACT, ROLES
from liveportal.exports.spellings import (
    CASED,
    WIDE,
    DecodedText,
    Span,
    comparison_key,
    decodings,
    fold,
    is_invisible,
    join_broken_words,
    letter_kind,
    split_camel_case,
)

_SHORTEST_PART = 3  # "de", "la": common words, not names.
_FARTHEST = 2  # Characters between the parts of a name: " ", "-", ". ".
_ROUNDS = 8
_LINES = re.compile(r"([\t\r\n]++)")
_LETTERS = re.compile(r"[^\W\d_]++")
_TOKEN = re.compile(rf"{BLACK}|[^\W\d_]++")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]++")
_IN_A_ROW = re.compile(f"{BLACK}(?: ?{BLACK})++")
_UMLAUTS = str.maketrans({"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00e5": "aa"})
_GIVEN_NAMES = {3: ((1, 3),), 4: ((0, 2), (2, 4))}
"""By the number of characters of a Chinese, Japanese or Korean name written as one word: the spans
that may be its given name or family name."""
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
"""The syntax of markup, which is kept even if a person is called Li or Ruby."""


class Redactor:
    """Blacks out names, whole and in parts, e-mail addresses and phone numbers.

    Call it with a text to get the redacted text. Every blacked out part has the same length, so
    that nothing can be guessed from it. Invisible characters are removed.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._words: set[str] = set()
        self._short: set[str] = set()
        self._wide: set[str] = set()
        self._lone: set[str] = set()
        for name in names:
            self._add(visible(name))
        self._lengths = sorted({len(part) for part in self._wide}, reverse=True)

    def __call__(self, text: str) -> str:
        """Return a text with names and contact details blacked out."""
        return self._redact(visible(text))

    def document(self, text: str) -> str | None:
        """Return the redacted text of a file, or None if that is impossible.

        JSON and JSON Lines stay valid, and markup keeps its tags.
        """
        text = visible(text)
        if _is_json(text):
            redacted = self._redact_json(text)
            return redacted if _is_json(redacted) else None
        lines = text.splitlines(keepends=True)
        output: list[str] = []
        for is_record, group in groupby(lines, key=_is_record):
            if not is_record:
                output.append(self._redact("".join(group), markup=True))
                continue
            for line in group:
                redacted = self._redact_json(line)
                if not _is_json(redacted):
                    return None
                output.append(redacted)
        return "".join(output)

    def finds_name(self, text: str) -> bool:
        """Return True if one of the names can be read in a text."""
        return any(any(self._find_names(decoded)) for decoded in decodings(visible(text)))

    # --- names ------------------------------------------------------------------------------------

    def _add(self, name: str) -> None:
        """Add a name: its parts by the rules of their scripts, and each script's parts joined."""
        name = unicodedata.normalize("NFC", name)
        letters = comparison_key(name)
        cased = _parts_of_kind(letters, CASED)
        wide = _parts_of_kind(letters, WIDE)
        if not wide and all(part in ROLES for part in cased):
            return
        long = {part for part in cased if len(part) >= _SHORTEST_PART}
        self._short |= {part for part in cased if long and part not in long}
        joined = {
            "".join(cased),
            *(_parts_of_kind(comparison_key(name.lower().translate(_UMLAUTS)), CASED)),
        }
        joined = {part for part in joined if part not in ROLES and len(part) >= _SHORTEST_PART}
        self._words |= {part for part in (*(long or cased), *joined) if len(part) > 1}
        whole = "".join(wide)
        self._wide |= {part for part in (*wide, whole) if len(part) > 1}
        self._lone |= {part for part in wide if len(part) == 1}
        for word in _CJK.findall(name):
            pieces = _GIVEN_NAMES.get(len(word), ())
            self._wide |= {comparison_key(word[start:end]) for start, end in pieces}

    def _find_names(self, decoded: DecodedText) -> Iterator[list[Span]]:
        """Yield the spans of the source in which names are written."""
        letters = fold(decoded)
        yield from self._find_words(letters)
        if (words := split_camel_case(decoded)) is not None:
            yield from self._find_words(fold(words))
        if (self._wide or self._lone) and not letters.text.isascii():
            yield from self._find_among_letters(join_broken_words(letters))

    def _find_words(self, letters: DecodedText) -> Iterator[list[Span]]:
        for match in _LETTERS.finditer(letters.text):
            if match[0] in self._words:
                yield letters.spans(*match.span())
            elif not match[0].isascii():
                for start, end in _cased_spans(match[0]):
                    if match[0][start:end] in self._words:
                        yield letters.spans(match.start() + start, match.start() + end)

    def _find_among_letters(self, letters: DecodedText) -> Iterator[list[Span]]:
        """Yield names within runs of letters, the longest first, and lone characters."""
        text = letters.text
        for run in _NOT_ASCII.finditer(text):
            position, end = run.span()
            while position < end:
                size = next(
                    (n for n in self._lengths if text[position : position + n] in self._wide), 0
                )
                if not size and text[position] in self._lone and _is_lone(text, position):
                    size = 1
                if size:
                    yield letters.spans(position, position + size)
                position += size or 1

    def _find_short_parts(self, decoded: DecodedText) -> Iterator[list[Span]]:
        """Yield short parts of names that are next to a blacked out part, with the gap between."""
        letters = fold(decoded)
        tokens = [match.span() for match in _TOKEN.finditer(letters.text)]
        for first_span, second_span in pairwise(tokens):
            gap = letters.text[first_span[1] : second_span[0]]
            if len(gap) > _FARTHEST or not set(gap) <= set(" .-'\u2019"):
                continue
            first, last = letters.text[slice(*first_span)], letters.text[slice(*second_span)]
            if first == BLACK and last in self._short:
                yield letters.spans(first_span[1], second_span[1])
            elif last == BLACK and first in self._short:
                yield letters.spans(first_span[0], second_span[0])

    # --- redaction --------------------------------------------------------------------------------

    def _redact(self, text: str, *, escaped: bool = False, markup: bool = False) -> str:
        """Redact a text repeatedly until no more names are found."""
        for _ in range(_ROUNDS):
            redacted = _IN_A_ROW.sub(BLACK, self._redact_once(text, escaped=escaped, markup=markup))
            if redacted == text:
                break
            text = redacted
        return text

    def _redact_once(self, text: str, *, escaped: bool, markup: bool) -> str:
        matches: list[list[Span]] = []
        for number, decoded in enumerate(decodings(text, escaped=escaped)):
            matches += ([*decoded.spans(*match.span())] for match in CONTACT.finditer(decoded.text))
            matches += self._find_names(decoded)
            if not number and self._short:
                matches += self._find_short_parts(decoded)
        if not matches:
            return text
        markup = markup and _IS_MARKUP.search(text) is not None
        kept = [match.span() for match in _MARKUP.finditer(text)] if markup else []
        return _cover(text, [match for match in matches if not _overlaps(match, kept)])

    def _redact_json(self, text: str) -> str:
        """Redact each string of a JSON text, and numbers that are phone numbers."""
        last_key = ""

        def value(match: re.Match[str]) -> str:
            nonlocal last_key
            content, colon = match[1], match[2]
            timed = bool(_TIME_KEY.fullmatch(last_key))
            if content is None:
                is_phone = match[0].isdigit() and CONTACT.fullmatch(match[0]) and not timed
                return f'"{BLACK}"' if is_phone else match[0]
            if colon:
                last_key = content
            elif timed and content.replace(".", "").isdigit():
                return match[0]
            return f'"{self._redact(content, escaped=True)}"{colon or ""}'

        return _JSON_VALUE.sub(value, text)


def redactor(names: Iterable[str]) -> Redactor:
    """Return a redactor for these names, e-mail addresses and phone numbers."""
    return Redactor(names)


def _cover(text: str, matches: Iterable[Sequence[Span]]) -> str:
    """Black out all spans of the matches.

    Text between two spans of a name is kept if it is visible, such as tags and line breaks.
    """
    cuts: list[Span] = []
    for name_spans in matches:
        for number, (first, last) in enumerate(name_spans):
            if number and is_invisible(text[name_spans[number - 1][1] : first]):
                cuts[-1] = (cuts[-1][0], last)
            else:
                cuts.append((first, last))
    cuts.sort()
    output: list[str] = []
    position = 0
    for start, end in cuts:
        if start >= position:
            output += (text[position:start], BLACK)
        position = max(position, end)
    output.append(text[position:])
    return "".join(output)


def _overlaps(name_spans: Sequence[Span], spans: Sequence[Span]) -> bool:
    """Return True if a span of the name overlaps one of the spans, which are sorted."""
    for start, end in name_spans:
        index = bisect_right(spans, (start, len(spans)))
        if any(
            first < end and start < last for first, last in spans[max(index - 1, 0) : index + 2]
        ):
            return True
    return False


def _parts_of_kind(letters: str, kind: int) -> list[str]:
    """Return the parts of a folded name whose letters are of one kind."""
    groups = groupby(letters, key=letter_kind)
    return ["".join(group) for group_kind, group in groups if group_kind == kind]


def _cased_spans(word: str) -> Iterator[Span]:
    """Yield the spans of a run of letters that are in scripts in which names are words."""
    position = 0
    for kind, group in groupby(word, key=letter_kind):
        size = sum(1 for _ in group)
        if kind == CASED:
            yield position, position + size
        position += size


def _is_lone(text: str, position: int) -> bool:
    """Return True if neither neighbour of a character is a `WIDE` letter."""
    beside = (text[position - 1 : position], text[position + 1 : position + 2])
    return not any(character and letter_kind(character) == WIDE for character in beside)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_record(line: str) -> bool:
    return line.lstrip().startswith(("{", "[")) and _is_json(line)


def visible(text: str) -> str:
    """Return a text without invisible characters; line breaks and tabs are kept."""
    return "".join(clean(part) if n % 2 == 0 else part for n, part in enumerate(_LINES.split(text)))
