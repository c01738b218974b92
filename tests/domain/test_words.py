"""A word is found whatever its case and accents, where a word begins with it."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.domain.words import folded, has_word, words

texts = st.text(
    st.one_of(
        st.sampled_from("aAzZéÉßẞ ſ_-'\"1Ⅷ²\u0301\u0345İıœÆΣσςя한国\ud800\x00\n"),  # noqa: RUF001 -- Letters that fold in a way of their own.
        st.characters(),
    ),
    max_size=12,
)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Shader flickers", "FLICK"),
        ("Zoë", "zoe"),
        ("Zoe", "ZOË"),
        (normalize("NFD", "Zoë"), normalize("NFC", "ZOË")),
        ("STRASSE", "straße"),
        ("İstanbul", "istanbul"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("render_pipeline", "pipeline"),
        ("it's (v2.1)", "v2"),
        ("한국어", "한국"),
        ("one\ntwo", "two"),
        ("a\ud800bc", "bc"),
    ],
)
def test_found(text: str, word: str) -> None:
    """Case, accents and how they are encoded make no difference; a beginning is enough."""
    assert all(has_word(folded(text), each) for each in words(word))


@pytest.mark.parametrize(
    ("text", "word"), [("JavaScript", "script"), ("shade", "shader"), ("", "a"), ("a b", "ab")]
)
def test_not_found(text: str, word: str) -> None:
    """The middle of a word is not its beginning."""
    assert not any(has_word(folded(text), each) for each in words(word))


def test_words() -> None:
    """A word is a run of letters and digits, and is there once; signs are none."""
    assert words(' "Render-pipeline", URP_2 and render-pipeline! ') == (
        *("Render", "pipeline", "URP", "2", "and", "render"),
    )
    assert words(" -_'\x00\ud800 ") == ()


@given(texts)
def test_a_text_has_its_own_words(text: str) -> None:
    """Every word that a text has is found in it, in capitals and in small letters, too."""
    for word in words(text):
        for spelt in (word, word.upper(), word.lower(), word[:1]):
            assert all(has_word(folded(text), each) for each in words(spelt)), (word, spelt)


@given(texts, texts)
def test_a_word_is_found_beside_others(text: str, other: str) -> None:
    """Whatever stands before or after it."""
    for word in words(text):
        assert has_word(folded(f"{other} {text} {other}"), word)
