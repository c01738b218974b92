"""Search terms, and where they occur in a text, regardless of case and accents.

Texts and terms are folded in the same way: case, full and half width, ligatures and the accents of
Latin, Greek and Cyrillic letters make no difference, nor do the points of Hebrew and Arabic (`uber`
matches "Über", `grosse` matches "Größe"). The marks of other scripts are part of the letters:
without them, Thai and Japanese words are other words.

A word also matches within another word (`flicker` in "flickers"). A word of less than three letters
matches only at the beginning of a word or, in scripts that do not separate words by spaces,
anywhere. A phrase matches whole words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from unicodedata import category, normalize

from liveportal.domain.frozen import frozen
from liveportal.domain.patterns import pattern

SHORTEST_PART = 3
"""The minimum length, in letters, of a word that also matches within other words."""

MOST_RUNS = 500
"""The maximum number of words of a phrase; the rest are ignored."""

_WORD = pattern(r"[^\W_]+")
# Soft hyphens, joiners and direction marks, which occur within words.
_INVISIBLE = pattern("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_ACCENTS = pattern(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]+"
)
# Thai, Lao, Tibetan, Burmese, Khmer, Chinese, Japanese; and Korean, whose particles are suffixes.
_UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# Characters that may fold to ASCII, or to another letter of a script without spaces.
_FOLDING = pattern(
    "[\u00aa-\u036f\u0e33\u0eb3\u0edc\u0edd\u0f00-\u0fff\u1100-\u11ff\u1d00-\u1eff"
    "\u2000-\u2fdf\u3038-\u303a\u3099\u309a\u309f\u30ff\u3130-\u319f\u3200-\u33ff"
    "\ua7f2-\ua7f4\uf900-\uffff\U00010780-\U000107bf\U0001d400-\U0001f2ff"
    "\U0001fbf0-\U0001fbf9\U0002f800-\U0002fa1f]"
)
_IS_UNSPACED = pattern(f"[{_UNSPACED}]")
_LETTER = f"[^\\W_{_UNSPACED}]"  # In scripts that separate words by spaces.
_BETWEEN = r"[\W_]+?"

_LONG_TEXT = 80
_SATURATION, _LENGTH_SHARE = 1.2, 0.75
_PART_WEIGHT = 0.4
"""Parameters of the ranking (BM25): the saturation of repeated matches, the weight of the text's
length, and the weight of a match within a word relative to a whole word."""

SNIPPET_CHARACTERS = 160
SNIPPET_BEFORE = 40
"""The length of a snippet, and its part before the first match, in characters."""


def words(text: str) -> tuple[str, ...]:
    """Return the distinct words of a text, in order, as spelled."""
    return tuple(dict.fromkeys(_WORD.findall(normalize("NFC", _INVISIBLE.sub("", text)))))


def folded(text: str) -> str:
    """Return a text without the differences that a search ignores."""
    if text.isascii():
        return text.lower()
    return normalize("NFC", normalize("NFC", text).translate(_FOLDINGS))


class _FoldingTable(dict[int, str]):
    """The folding of each letter, calculated on first use: texts have few different letters."""

    def __missing__(self, code: int) -> str:
        letter = _INVISIBLE.sub("", chr(code))
        # Twice: decomposed characters may have case, and casefolded ones may decompose further.
        plain = normalize("NFKD", normalize("NFKD", letter).casefold()).casefold()
        folding = self[code] = normalize("NFC", _ACCENTS.sub("", plain))
        return folding


_FOLDINGS = _FoldingTable()


@frozen
class Term:
    """A search term: runs of letters in order, with any other characters between them.

    If `begins`, it must begin at the beginning of a word; if `ends`, it must end at the end of one.
    """

    runs: tuple[str, ...]
    begins: bool
    ends: bool

    def pattern(self) -> re.Pattern[str]:
        """Return the regular expression that matches the term in a folded text."""
        before = f"(?<!{_LETTER})" if self.begins and not _is_unspaced(self.runs[0][0]) else ""
        after = f"(?!{_LETTER})" if self.ends and not _is_unspaced(self.runs[-1][-1]) else ""
        return re.compile(before + _BETWEEN.join(map(re.escape, self.runs)) + after)

    def trigrams(self) -> Iterator[str]:
        """Yield every sequence of three letters; a text that matches contains all of them."""
        for run in self.runs:
            yield from (run[at : at + 3] for at in range(len(run) - 2))


def term(text: str, *, phrase: bool = False, begins: bool = False) -> Term | None:
    """Return the search term for a text, or for a `phrase` of whole words; None without letters.

    With `begins`, the text (or the last word of the phrase) also matches the beginning of a word.
    """
    runs = tuple(islice(_letter_runs(folded(text)), MOST_RUNS))
    if not runs:
        return None
    short = sum(map(len, runs)) < SHORTEST_PART
    return Term(runs, begins=phrase or begins or short, ends=phrase and not begins)


def _letter_runs(text: str) -> Iterator[str]:
    """Yield the runs of letters, digits and their marks."""
    run = ""
    for letter in text:
        if letter.isalnum() or (run and category(letter)[0] == "M"):
            run += letter
        elif run:
            yield run
            run = ""
    if run:
        yield run


def _is_unspaced(letter: str) -> bool:
    return _IS_UNSPACED.match(letter) is not None


def may_have(text: str, wanted: Iterable[Term]) -> bool:
    """Return False if a text lacks one of the terms, usually without folding it."""
    runs = [run for wanted_term in wanted for run in wanted_term.runs]
    if not all(map(_is_as_written, runs)) or _FOLDING.search(text):
        return True
    plain = text.lower()
    return all(run in plain for run in runs)


def _is_as_written(run: str) -> bool:
    """Return True if texts contain a run unfolded, except for ASCII case and `_FOLDING`."""
    return run.isascii() or all(map(_is_unspaced, run))


class Finder:
    """Matches texts that contain all wanted terms and no unwanted ones."""

    def __init__(self, wanted: Sequence[Term], unwanted: Sequence[Term] = ()) -> None:
        self.wanted = tuple(wanted)
        self._unwanted = tuple(unwanted)
        self._patterns: dict[Term, re.Pattern[str]] = {}

    def finds(self, folded_text: str) -> bool:
        """Return True if a folded text matches."""
        return all(self._has(wanted, folded_text) for wanted in self.wanted) and not any(
            self._has(unwanted, folded_text) for unwanted in self._unwanted
        )

    def _has(self, wanted: Term, folded_text: str) -> bool:
        # Most texts lack a run: no pattern is compiled for a term that is in none of them.
        return all(run in folded_text for run in wanted.runs) and bool(
            self._pattern(wanted).search(folded_text)
        )

    def _pattern(self, wanted: Term) -> re.Pattern[str]:
        regex = self._patterns.get(wanted)
        if regex is None:
            regex = self._patterns[wanted] = wanted.pattern()
        return regex

    def score(self, folded_text: str) -> float:
        """Return the relevance of a match: higher for many matches, short texts and whole words."""
        length = 1 - _LENGTH_SHARE + _LENGTH_SHARE * len(folded_text) / _LONG_TEXT
        score = 0.0
        for regex in map(self._pattern, self.wanted):
            weight = sum(
                1 if _whole_words(folded_text, *match.span()) == match.span() else _PART_WEIGHT
                for match in regex.finditer(folded_text)
            )
            score += weight * (_SATURATION + 1) / (weight + _SATURATION * length)
        return score

    def snippet(self, text: str) -> list[tuple[str, bool]]:
        """Return the part of a text around the matches, split into (text, is a match) parts."""
        spans = _merge_spans(self._spans(text))
        begin, end = _snippet_bounds(text, spans)
        parts = [("…", False)] if begin else []
        at = begin
        for first, last in spans:
            if first >= end or last <= begin:
                continue
            parts += [(text[at:first], False), (text[first : min(last, end)], True)]
            at = min(last, end)
        parts.append((text[at:end], False))
        if end < len(text):
            parts.append(("…", False))
        return [(part, hit) for part, hit in parts if part]

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        plain = folded(text)
        places = None if text.isascii() else list(_source_ranges(text))
        if places and len(places) != len(
            plain
        ):  # A letter folds differently in context: mark nothing.
            return
        for regex in map(self._pattern, self.wanted):
            for match in regex.finditer(plain):
                first, last = _whole_words(plain, *match.span())
                yield (places[first][0], places[last - 1][1]) if places else (first, last)


def _whole_words(text: str, begin: int, end: int) -> tuple[int, int]:
    """Return the bounds of the words around a match, in scripts that use spaces."""
    while begin and not _is_word_boundary(text, begin):
        begin -= 1
    while end < len(text) and not _is_word_boundary(text, end):
        end += 1
    return begin, end


def _is_word_boundary(text: str, at: int) -> bool:
    """Return True if a word begins or ends between two letters."""
    return not all(
        letter.isalnum() and not _is_unspaced(letter) for letter in text[at - 1 : at + 1]
    )


def _source_ranges(text: str) -> Iterator[tuple[int, int]]:
    """Yield the source range in a text of each letter of its folded form."""
    begin = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not _is_joined(text[end]):
            yield from ((begin, end) for _ in folded(text[begin:end]))
            begin = end


def _is_joined(letter: str) -> bool:
    """Return True if a letter is a mark on the one before it, or part of its syllable."""
    if letter.isascii():
        return False
    first = normalize("NFKD", letter)[0]
    return category(first)[0] == "M" or "\u1160" <= first <= "\u11ff"


def _merge_spans(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in order; overlapping ones are merged."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _snippet_bounds(text: str, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the bounds of the snippet: around as many matches as fit."""
    if len(text) <= SNIPPET_CHARACTERS:
        return 0, len(text)
    first = spans[0][0] if spans else 0
    begin = max(0, first - SNIPPET_BEFORE)
    end = min(len(text), max(begin + SNIPPET_CHARACTERS, spans[0][1] if spans else 0))
    # Cut at a space if there is one nearby.
    if begin and (space := text.find(" ", begin, first)) >= 0:
        begin = space + 1
    last = max((last for _, last in spans if last <= end), default=first)
    if end < len(text) and (space := text.rfind(" ", max(last, end - SNIPPET_BEFORE), end)) > 0:
        end = space
    return begin, end
