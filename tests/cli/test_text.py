"""Text from outside is harmless where it is shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveportal.cli.io.text import clean, csv_safe

JOINERS = "\u200c\u200d"
# Format characters that draw something: Arabic and other number signs, musical and shorthand marks.
VISIBLE_FORMAT = {
    chr(c)
    for c in (
        *(*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD),
        *(*range(0x13430, 0x13440), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)),
    )
}
HOSTILE = st.text(
    st.one_of(
        st.sampled_from("\x1b\x1b\x1b[]()\\?;0123mJHhPX^_\x07\x9b\x9c\x9d\x90 a=\t\r\n\x00\x7f"),
        st.sampled_from("\u202e\u2066\u200b\u200d\ufe0f\ufeff\u2028\U000e0041\ud800"),
        st.characters(),
    )
)


@given(HOSTILE)
def test_nothing_dangerous_is_left_and_cleaning_twice_changes_nothing(text: str) -> None:
    """No control, format or surrogate character stays, but for the joiners."""
    cleaned = clean(text)
    left = {c for c in cleaned if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert not left - set(JOINERS) - VISIBLE_FORMAT, left
    assert clean(cleaned) == cleaned


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))))
def test_ordinary_text_is_left_alone(text: str) -> None:
    """Letters of every script, marks, symbols and spaces stay; only hidden carriers go."""
    hidden = {chr(c) for c in range(0xE0000, 0xE1000)} | {"\u034f"}
    assert clean(text) == "".join(c for c in text if c not in hidden)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b1;31mred", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;2;0\x1b\\after", "after"),
        ("\x1b]52;c;never ended", "52;c;never ended"),
        ("say \x1b(0x\x1bc done", "say x done"),
        ("one\ttwo\r\nthree\u2028four", "one two three four"),
        ("100 \u202e00.5\u202c", "100 00.5"),
        ("a\u200bb\ufeffc\x00d\udcffe", "abcde"),
        ("👩\u200d👧 می\u200cروم ❤\ufe0f", "👩\u200d👧 می\u200cروم ❤\ufe0f"),
        ("â€\x9d is no sequence", "â€ is no sequence"),
    ],
)
def test_sequences_go_whole(text: str, cleaned: str) -> None:
    """What an escape sequence carries goes with it; the text around it stays."""
    assert clean(text) == cleaned


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["\x1b]", "\x9d", "\x1b[1", "\x1b ", "\x1bP\x1b", "a\t", "\x90x"])
def test_a_long_hostile_text_is_cleaned(piece: str) -> None:
    """No sequence that never ends makes the time grow faster than the text (it would hang here)."""
    text = piece * (2_000_000 // len(piece))
    assert len(clean(text)) <= len(text)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])  # noqa: RUF001
def test_a_formula_is_neutralised(text: str) -> None:
    """A text that a spreadsheet would run begins with an apostrophe."""
    assert csv_safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "1-1", "Mina", "'=1"])
def test_other_text_is_not_touched(text: str) -> None:
    """What is no formula stays as it is."""
    assert csv_safe(text) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a;=1", "a;'=1"),
        ("a; +1;-2", "a;' +1;'-2"),
        ("=1;@a", "'=1;'@a"),
        ("\ufe66x", "'\ufe66x"),
        (";\uff1d1", ";'\uff1d1"),
        ("so it goes ;-) and ; on", "so it goes ;-) and ; on"),
        ("a=1, b-2; c", "a=1, b-2; c"),
    ],
)
def test_a_semicolon_may_begin_a_cell(text: str, safe: str) -> None:
    """Where the comma is for decimals, a spreadsheet parts cells by the semicolon."""
    assert csv_safe(text) == safe
