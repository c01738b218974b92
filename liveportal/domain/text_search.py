"""Words to search for, and where a text has them: as people type, without case and accents.

A text and what is looked for are folded alike: capitals, full and half width, ligatures and the
accents of Latin, Greek and Cyrillic letters make no difference, nor do the points of Hebrew and
Arabic (`uber` is found in "Über", `grosse` in "Größe"). The marks of other scripts are letters:
without them Thai and Japanese words are other words.

A word is found in the middle of another one (`flicker` in "flickers"); of less than three letters
only at the beginning of one, and in scripts that put no blanks between words anywhere. A phrase is
found as whole words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from unicodedata import category, normalize

from liveportal.domain.patterns import pattern
from liveportal.domain.values import dataclass

SHORTEST_PART = 3
"""From so many letters on a word is looked for in the middle of others, too."""

MOST_RUNS = 500
"""How many words of a phrase are looked for, however many were typed."""

_WORD = pattern(r"[^\W_]+")
# Soft hyphens, joiners and directions stand in the middle of words.
_INVISIBLE = pattern("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_ACCENTS = pattern(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]+"
)
# Thai, Lao, Tibetan, Burmese, Khmer, Chinese, Japanese; and Korean, whose particles are glued on.
_UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# What may fold to ASCII, or to a letter of a script without blanks that is another one.
_FOLDING = pattern(
    "[\u00aa-\u036f\u0e33\u0eb3\u0edc\u0edd\u0f00-\u0fff\u1100-\u11ff\u1d00-\u1eff"
    "\u2000-\u2fdf\u3038-\u303a\u3099\u309a\u309f\u30ff\u3130-\u319f\u3200-\u33ff"
    "\ua7f2-\ua7f4\uf900-\uffff\U00010780-\U000107bf\U0001d400-\U0001f2ff"
    "\U0001fbf0-\U0001fbf9\U0002f800-\U0002fa1f]"
)
_IS_UNSPACED = pattern(f"[{_UNSPACED}]")
_LETTER = f"[^\\W_{_UNSPACED}]"  # Of a word that has blanks around it.
_BETWEEN = r"[\W_]+?"

_LONG_TEXT = 80
_SATURATION, _LENGTH_SHARE = 1.2, 0.75
_PART_WEIGHT = 0.4
"""How a hit is ranked (BM25): how soon repetition counts no more, how much length counts; and how
much less a part of a word counts than a whole one."""

SNIPPET_CHARACTERS = 160
SNIPPET_BEFORE = 40
"""How much of a text is shown around its hits, and how much of that before the first."""


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, each once, in their order, spelt as they were."""
    return tuple(dict.fromkeys(_WORD.findall(normalize("NFC", _INVISIBLE.sub("", text)))))


def folded(text: str) -> str:
    """Return a text without what makes no difference in a search."""
    if text.isascii():
        return text.lower()
    return normalize("NFC", normalize("NFC", text).translate(_LETTERS))


class _Letters(dict[int, str]):
    """What each letter is folded to, worked out when it is first seen: texts have few of them."""

    def __missing__(self, code: int) -> str:
        letter = _INVISIBLE.sub("", chr(code))
        # Twice: what is decomposed may have a case again, and what lost it be decomposed further.
        plain = normalize("NFKD", normalize("NFKD", letter).casefold()).casefold()
        found = self[code] = normalize("NFC", _ACCENTS.sub("", plain))
        return found


_LETTERS = _Letters()


@dataclass(frozen=True, slots=True)
class Term:
    """Something to look for: runs of letters in their order, with anything else between them.

    `begins`: it must begin where a word does; `ends`: and end where one does.
    """

    runs: tuple[str, ...]
    begins: bool
    ends: bool

    def pattern(self) -> re.Pattern[str]:
        """Return the expression that finds it in a folded text."""
        before = f"(?<!{_LETTER})" if self.begins and not _unspaced(self.runs[0][0]) else ""
        after = f"(?!{_LETTER})" if self.ends and not _unspaced(self.runs[-1][-1]) else ""
        return re.compile(before + _BETWEEN.join(map(re.escape, self.runs)) + after)

    def trigrams(self) -> Iterator[str]:
        """Yield every three letters in a row: a text that has it has all of them."""
        for run in self.runs:
            yield from (run[at : at + 3] for at in range(len(run) - 2))


def term(text: str, *, phrase: bool = False, begins: bool = False) -> Term | None:
    """Return what is looked for as a text, or as a `phrase` of whole words; None without letters.

    What `begins` a word, or the last word of a phrase, may end in the middle of it.
    """
    runs = tuple(islice(_runs(folded(text)), MOST_RUNS))
    if not runs:
        return None
    short = sum(map(len, runs)) < SHORTEST_PART
    return Term(runs, begins=phrase or begins or short, ends=phrase and not begins)


def _runs(text: str) -> Iterator[str]:
    """Yield the runs of letters, digits and the marks on them."""
    run = ""
    for letter in text:
        if letter.isalnum() or (run and category(letter)[0] == "M"):
            run += letter
        elif run:
            yield run
            run = ""
    if run:
        yield run


def _unspaced(letter: str) -> bool:
    return _IS_UNSPACED.match(letter) is not None


def may_have(text: str, wanted: Iterable[Term]) -> bool:
    """Return False of a text that has not all the terms, mostly without folding it."""
    runs = [run for each in wanted for run in each.runs]
    if not all(map(_is_as_written, runs)) or _FOLDING.search(text):
        return True
    plain = text.lower()
    return all(run in plain for run in runs)


def _is_as_written(run: str) -> bool:
    """Return whether a run stands in texts as it is, but for ASCII's case and `_FOLDING`."""
    return run.isascii() or all(map(_unspaced, run))


class Finder:
    """Finds texts that have all the terms wanted, and none of those unwanted."""

    def __init__(self, wanted: Sequence[Term], unwanted: Sequence[Term] = ()) -> None:
        self.wanted = tuple(wanted)
        self._unwanted = tuple(unwanted)
        self._patterns: dict[Term, re.Pattern[str]] = {}

    def finds(self, folded_text: str) -> bool:
        """Return whether a folded text is one of them."""
        return all(self._has(each, folded_text) for each in self.wanted) and not any(
            self._has(each, folded_text) for each in self._unwanted
        )

    def _has(self, wanted: Term, folded_text: str) -> bool:
        # Most texts lack a run: no pattern is made for what is in none.
        return all(run in folded_text for run in wanted.runs) and bool(
            self._pattern(wanted).search(folded_text)
        )

    def _pattern(self, wanted: Term) -> re.Pattern[str]:
        found = self._patterns.get(wanted)
        if found is None:
            found = self._patterns[wanted] = wanted.pattern()
        return found

    def score(self, folded_text: str) -> float:
        """Return how good a hit is: often, in a short text, and as whole words."""
        length = 1 - _LENGTH_SHARE + _LENGTH_SHARE * len(folded_text) / _LONG_TEXT
        found = 0.0
        for each in map(self._pattern, self.wanted):
            times = sum(
                1 if _whole_words(folded_text, *match.span()) == match.span() else _PART_WEIGHT
                for match in each.finditer(folded_text)
            )
            found += times * (_SATURATION + 1) / (times + _SATURATION * length)
        return found

    def snippet(self, text: str) -> list[tuple[str, bool]]:
        """Return the part of a text that has the hits, cut into what is one and what is not."""
        spans = _merged(self._spans(text))
        begin, end = _window(text, spans)
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
        places = None if text.isascii() else list(_places(text))
        if places and len(places) != len(plain):  # Some fold otherwise among others: no marks.
            return
        for each in map(self._pattern, self.wanted):
            for match in each.finditer(plain):
                first, last = _whole_words(plain, *match.span())
                yield (places[first][0], places[last - 1][1]) if places else (first, last)


def _whole_words(text: str, begin: int, end: int) -> tuple[int, int]:
    """Return where the words begin and end that a hit is in; only of those with blanks between."""
    while begin and not _is_cut(text, begin):
        begin -= 1
    while end < len(text) and not _is_cut(text, end):
        end += 1
    return begin, end


def _is_cut(text: str, at: int) -> bool:
    """Return whether a word ends or begins between two letters."""
    return not all(each.isalnum() and not _unspaced(each) for each in text[at - 1 : at + 1])


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Yield where in a text each letter of its folded form comes from: from here to there."""
    begin = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not _joins(text[end]):
            yield from ((begin, end) for _ in folded(text[begin:end]))
            begin = end


def _joins(letter: str) -> bool:
    """Return whether a letter is a mark on the one before it, or a part of its syllable."""
    if letter.isascii():
        return False
    first = normalize("NFKD", letter)[0]
    return category(first)[0] == "M" or "\u1160" <= first <= "\u11ff"


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return hits in their order; those that overlap are one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first < found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _window(text: str, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return which part of a text is shown: around as many hits as go into it."""
    if len(text) <= SNIPPET_CHARACTERS:
        return 0, len(text)
    first = spans[0][0] if spans else 0
    begin = max(0, first - SNIPPET_BEFORE)
    end = min(len(text), max(begin + SNIPPET_CHARACTERS, spans[0][1] if spans else 0))
    # At a blank, if there is one near.
    if begin and (blank := text.find(" ", begin, first)) >= 0:
        begin = blank + 1
    last = max((last for _, last in spans if last <= end), default=first)
    if end < len(text) and (blank := text.rfind(" ", max(last, end - SNIPPET_BEFORE), end)) > 0:
        end = blank
    return begin, end
