"""Text search by words and their parts, independent of case, accents, width and script."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.text_search import (
    MOST_RUNS,
    SNIPPET_CHARACTERS,
    Finder,
    folded,
    may_have,
    term,
    words,
)

LETTERS = (
    "aAzZéÉßẞ ſ_-'\"1Ⅷ²\u0301\u0345İıœÆΣσςя한국\ud800\x00\n"  # noqa: RUF001 -- They fold in a way of their own.
    "\u1112\u1161\u11ab\u3099かガｶﾞＡｂ画กี้\u00ad\u200d"  # noqa: RUF001
)
texts = st.text(st.one_of(st.sampled_from(LETTERS), st.characters()), max_size=12)


def has(text: str, *wanted: str, phrase: bool = False, begins: bool = False) -> bool:
    """Return True if a text matches the query."""
    terms = [term(each, phrase=phrase, begins=begins) for each in wanted]
    return Finder([each for each in terms if each]).finds(folded(text))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Shader flickers", "FLICK"),
        ("Shader flickers", "licker"),
        ("Zoë", "zoe"),
        ("Zoe", "ZOË"),
        (normalize("NFD", "Zoë"), normalize("NFC", "ZOË")),
        ("STRASSE", "straße"),
        ("Über", "uber"),
        ("İstanbul", "istanbul"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("render_pipeline", "pipeline"),
        ("it's (v2.1)", "v2"),
        ("JavaScript", "script"),
        ("one\ntwo", "two"),
        ("a\ud800bc", "bc"),
        ("ＵＲＰ１２", "urp12"),  # noqa: RUF001
        ("ﾊﾞｸﾞです", "バグ"),
        ("flick\u00ader", "flicker"),
        ("画面在闪烁", "闪烁"),
        ("画面在闪烁", "面"),
        ("シェーダーがちらつきます", "ちらつき"),
        ("返金してください", "返金"),
        ("หน้าจอกะพริบตลอด", "กะพริบ"),
        ("ข้อผิดพลาด", "ผิด"),
        ("환불을 받고 싶어요", "환불"),
        ("셰이더가 깜박여요", "깜박"),
        ("UnityのバグはURPだけ", "URP"),
        ("UnityのバグはURPだけ", "unity"),
        ("バグreportです", "report"),
        ("пожалуйста, верните", "верн"),
        ("شَاشَة تومض", "شاشة"),
        ("e-mail", "e-mail"),
        ("render / pipeline", "render-pipeline"),
        ("12,50 €", "12.50"),
    ],
)
def test_found(text: str, word: str) -> None:
    """Case, accents, width and how they are encoded make no difference; a part is enough."""
    assert has(text, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("shade", "shader"),
        ("", "a"),
        ("a b", "ab"),
        ("build", "ui"),  # Of two letters it is a beginning.
        ("かき", "がき"),  # With the mark it is another letter.
        ("각", "가"),
        ("กา", "กี"),
        ("renderpipeline", "render-pipeline"),
    ],
)
def test_not_found(text: str, word: str) -> None:
    """Other letters make other words, and short words match no parts of others."""
    assert not has(text, word)


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        ("the shader pipeline", "shader pipeline", True),
        ("the shader, pipeline", "shader pipeline", True),
        ("the shader pipelines", "shader pipeline", False),
        ("unshader pipeline", "shader pipeline", False),
        ("UnityのURP", "urp", True),
        ("画面在闪烁", "闪烁", True),
        ("환불을 받고", "환불", True),
        ("Leo Wang (王小明)", "王", True),
        ("Mina", "min", False),
    ],
)
def test_a_phrase_is_of_whole_words(text: str, phrase: str, found: bool) -> None:
    """Where blanks part words; else it is found anywhere."""
    assert has(text, phrase, phrase=True) is found


def test_a_beginning() -> None:
    """A prefix matches at the start of a word."""
    assert has("Malicious shader", "mali", begins=True)
    assert not has("normality", "mali", begins=True)
    assert has("the shader pipeline", "shader pip", phrase=True, begins=True)


def test_what_is_not_wanted() -> None:
    """All wanted terms are there, and none of the excluded ones."""
    shader, flicker = term("shader"), term("flicker")
    assert shader
    assert flicker
    finder = Finder([shader], [flicker])
    assert finder.finds("the shader")
    assert not finder.finds("the shader flickers")
    assert not finder.finds("the flicker")


def test_words() -> None:
    """A word is a run of letters and digits, listed once; punctuation is not part of words."""
    assert words(' "Render-pipeline", URP_2 and render-pipeline! ') == (
        *("Render", "pipeline", "URP", "2", "and", "render"),
    )
    assert words(" -_'\x00\ud800 ") == ()
    assert term(" -_'\x00\ud800 ") is None
    assert len((term("x " * 2_000) or term("x")).runs) == MOST_RUNS  # type: ignore[union-attr]


@given(texts)
def test_a_text_has_its_own_words(text: str) -> None:
    """Every word that a text has is found in it, in capitals and in small letters, too."""
    for word in words(text):
        for spelt in (word, word.upper(), word.lower(), word[:1]):
            assert all(has(text, word) for word in words(spelt)), (word, spelt)


@given(texts, texts)
def test_a_word_is_found_beside_others(text: str, other: str) -> None:
    """Whatever precedes or follows it."""
    for word in words(text):
        assert has(f"{other} {text} {other}", word)


@given(texts, texts)
def test_a_hit_has_all_its_trigrams(text: str, word: str) -> None:
    """So that the index leaves out no hit."""
    wanted = term(word)
    if wanted and Finder([wanted]).finds(folded(text)):
        plain = folded(text)
        assert all(trigram in plain for trigram in wanted.trigrams())


@given(texts, texts)
def test_a_snippet_is_of_the_text(text: str, word: str) -> None:
    """Its parts joined are the text, and the marked parts contain the word."""
    wanted = term(word)
    if not wanted:
        return
    finder = Finder([wanted])
    parts = finder.snippet(text)
    assert "".join(part for part, _ in parts) == text
    for part, is_hit in parts:
        if is_hit:
            assert any(run in folded(part) for run in wanted.runs)
    if finder.finds(folded(text)):
        assert finder.score(folded(text)) > 0


@given(st.integers(0, 300), st.integers(0, 300), st.sampled_from(("a ", "a", "画", "ß ")))
def test_a_snippet_of_a_long_text_has_a_hit(before: int, after: int, filler: str) -> None:
    """It is short, begins near the first hit, and shows that there is more."""
    text = filler * before + " flickers " + filler * after
    wanted = term("flicker")
    assert wanted
    parts = Finder([wanted]).snippet(text)
    assert ("flickers", True) in parts or "aflickers" in text
    assert sum(len(part) for part, _ in parts) <= SNIPPET_CHARACTERS + 2 or "aaa" in text
    assert (parts[0][0] == "…") is (not text.startswith(parts[0][0]))


def test_the_best_hit() -> None:
    """Whole words before parts, often before once, short before long."""
    wanted = term("flicker")
    assert wanted
    finder = Finder([wanted])
    ordered = [
        "flicker flicker",
        "flicker",
        "flickers",
        "a flicker " + "and so on " * 20,
        "flickers " + "and so on " * 20,
    ]
    assert sorted(ordered, key=finder.score, reverse=True) == ordered


@pytest.mark.slow
def test_what_may_have_a_word() -> None:
    """No text that contains a word is skipped, however its letters were before case folding."""
    for code in range(0x110000):
        letter = chr(code)
        wanted = term(letter)
        if not letter.isascii() and wanted and (letter.isalnum() or Finder([wanted]).finds(letter)):
            assert may_have(letter, [wanted]), hex(code)


@given(texts, texts)
def test_what_has_a_word_may_have_it(text: str, word: str) -> None:
    """Also among others."""
    wanted = term(word)
    if wanted and Finder([wanted]).finds(folded(text)):
        assert may_have(text, [wanted])
