"""Redaction: names that identify a person are gone, and no other numbers are."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from liveportal.exports.comparing import is_blacked_out
from liveportal.exports.redaction import redactor, visible
from liveportal.exports.redaction_1 import BLACK
from tests.kit.events import short
from tests.kit.work import calls, stopped_if_endless

pytestmark = pytest.mark.slow


ADA = redactor(["Ada Lovelace"])
NOBODY = redactor([])


@pytest.mark.parametrize(
    "text",
    [
        *("Ada Lovelace", "ada lovelace", "ADA LOVELACE", "Ada", "lovelace", "LoveLace"),
        *("ada_lovelace", "Ada-Lovelace", "ada.lovelace", "AdaLovelace", "adalovelace"),
        *("Ada1815", "_Ada_", "Ada's", "(Ada)", "Ada,", "\u00abAda\u00bb", "Lovelace, Ada"),
        *("A\u200bda", "A\u00adda", "A\u200dda", "A\x1b[31mda", "A\x00d\x00a\x00", "\ufeffAda"),
        *("\uff21\uff44\uff41", "A\u0301da", "\u00c1da", "@ada_l", "<b>Ada</b>"),
        *("Ada\nLovelace", "Ada\tLovelace", "x\u2028Ada"),
    ],
    ids=short,
)
def test_a_name_is_found_however_it_is_written(text: str) -> None:
    """In any case, in part, with any separator, with invisible characters in between."""
    black = ADA(text)
    assert BLACK in black
    seen = unicodedata.normalize("NFKC", black).casefold()
    assert "ada" not in seen
    assert "lovelace" not in seen


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("José", "jose\u0301"),
        ("jose\u0301", "JOSÉ"),
        ("José", "Jose"),
        ("Jose", "José"),
        ("Straße", "STRASSE"),
        ("Анна", "анна"),
        ("Анна Каренина", "КАРЕНИНА"),
        ("Ανδρέας", "ΑΝΔΡΕΑΣ"),
        ("王芳", "我叫王芳。"),
        ("山田 太郎", "山田さん"),
        ("김지민", "김지민이"),
        ("محمد", "ومحمد"),
        ("प्रिया", "यह प्रिया है"),
        ("สมชาย", "คุณสมชายครับ"),
        ("O'Brien", "o\u2019brien"),
        ("Jean-Luc Picard", "Luc"),
        ("Li", "Li"),
        ("Li Na", "li na"),
        ("Li Na", "LiNa"),
        ("Zé Li", "ZÉ LI"),
        ("ada_l", "Ada"),
        ("  Ada  ", "Ada"),
        ("John Guest", "guest"),
        ("Leo Wang (王小明)", "王小明说"),
        ("Leo Wang (王小明)", "LEO"),
        ("Leo Wang (王小明)", "小明"),
        ("王小明Leo", "leo"),
        ("Leo", "王小明Leo"),
        ("山田太郎", "太郎さん"),
        ("김지민", "지민이"),
        ("김 지민", "김지민"),
        ("王 芳", "王芳"),
        ("王芳", "王 芳"),
        ("王小明", "王小\n明"),
        ("김지민", "김지\n민"),
        ("王小明", "王小\n\n2\n00:00:03.000 --> 00:00:05.000\n明"),
        ("ﾔﾏﾀﾞ", "ヤマダ"),
        ("أحمد", "احمد"),
        ("محمد", "محـــمد"),
        ("Müller", "Mueller"),
        ("Müller", "mu\u0308ller"),
        ("Łukasz", "Lukasz"),
        ("Mina", "chatMina"),
        ("Mina", "MinaChat2"),
        ("Müller", "M&uuml;ller"),
        ("Müller", "M&#252;ller"),
        ("Müller", "M&#x00FCller"),
        ("Müller", "M\\u00fcller"),
        ("Müller", "M\\u{fc}ller"),
        ("Müller", "M\\xfcller"),
        ("Müller", "M%C3%BCller"),
        ("Müller", "M%fcller"),
        ("Müller", "M&amp;uuml;ller"),
        ("Müller", "M&uuml;ller%41"),
        ("Müller", "M<b>&uuml;</b>ller"),
        ("Müller", "M<00:01.000>üller"),
        ("Müller", "\\nM\\u00fcller"),
    ],
)
def test_names_of_all_the_world_are_found(name: str, text: str) -> None:
    """Accents, scripts without letters of two sizes or without spaces, names of two letters."""
    black = redactor([name])(text)
    assert BLACK in black
    assert text not in black


@pytest.mark.parametrize(
    "text",
    [
        *("Canada", "Adam", "Nevada", "Loveless", "ad a", "readable", "La Da"),
        *("The expert paused the timer.", "", "\n\n", "\t indented\r\n"),
    ],
)
def test_other_words_stay(text: str) -> None:
    """A name is a word, and no part of another."""
    assert ADA(text) == text


def test_a_single_character_is_a_name_only_by_itself() -> None:
    """A family name alone identifies a person; inside a word it is part of the word."""
    redact = redactor(["王"])
    assert redact("王: hello 王, 国王 王国") == f"{BLACK}: hello {BLACK}, 国王 王国"


def test_what_stands_between_the_letters_stays() -> None:
    """Tags and line ends are not part of a name: a file keeps its structure."""
    redact = redactor(["Müller", "王小明"])
    assert redact("<b>M&uuml;</b>ller <i>x</i>") == f"<b>{BLACK}</b>{BLACK} <i>x</i>"
    assert redact("王小\n\n2\n00:03.000 --> 00:05.000\n明!") == (
        f"{BLACK}\n\n2\n00:03.000 --> 00:05.000\n{BLACK}!"
    )


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "black"),
    [
        ('{"null": null, "a": "null", "b": true}', '{"█": null, "a": "█", "b": true}'),
        ('{"phone": 33612345678, "ts": 1696500000000}', '{"phone": "█", "ts": 1696500000000}'),
        ('{"ts": "1696500000.123456", "t": "0612345678"}', '{"ts": "1696500000.123456", "t": "█"}'),
        (r'{"a": "\u0ada and \u00e9bea \" \\ Ada"}', r'{"a": "\u0ada and \u00e9bea \" \\ █"}'),
        (r'["\ud83d\ude00 \u0041da\n\u200bA\u200bda"]', r'["\ud83d\ude00 █\n\u200b█\u200b█"]'),
        ('{"a": "Ada"}\nAda: hello\n["Ada"]\n', '{"a": "█"}\n█: hello\n["█"]\n'),
        ('{"a": "Ada", "a": "&#65;da"}', '{"a": "█", "a": "█"}'),
        ("<ul><li>Li, Ruby</li></ul>", "<ul><li>█, █</li></ul>"),
        ("<Ruby> hello <Li> hello", "<█> hello <█> hello"),
        ("WEBVTT\n\nNOTE by Note\n\n00:01.000 --> 00:02.000 align:start\nRuby Line: align", None),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ruby>hi <ruby>x<rt>y</rt></ruby>", None),
    ],
    ids=short,
)
def test_a_file_stays_what_it_was(text: str, black: str | None) -> None:
    """JSON stays valid JSON for any name; so do subtitles and pages."""
    redact = redactor(["Ada", "Null", "True", "Li", "Ruby", "Note", "Line", "Align", "Bea"])
    redacted = redact.document(text)
    assert redacted is not None
    if text.startswith(("{", "[")) and "\nAda" not in text:
        json.loads(redacted)
    if black is None:
        assert redacted.count("\n") == text.count("\n")
        assert re.findall(".*-->.*", redacted) == re.findall(".*-->.*", text)
        assert "Ruby" not in redacted
        assert redacted.count("<ruby>") == text.count("<ruby>")
        assert ("NOTE by" in redacted) is ("NOTE by" in text)
        return
    assert redacted == black.replace("█", BLACK)


@pytest.mark.parametrize("name", ["Customer", "expert", "Speaker 1", "A", "", " ", "-", "You", "1"])
def test_a_role_is_not_a_name(name: str) -> None:
    """A transcript may label speakers by roles, which identify no person."""
    text = "Customer: a speaker 1, and you - the expert"
    assert redactor([name])(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("ada@example.com", "ADA.L+x@Sub.Example.co.uk", "a@b.de", "jörg@exämple.de"),
        *("x" * 300 + "@example.com", "a_b-c%d@x-y.org"),
    ],
    ids=short,
)
def test_an_address_is_found(text: str) -> None:
    """An e-mail address is redacted whole, whatever surrounds it."""
    for around in ("{}", "<{}>", "mailto:{}", "to {}.", "({}),", "a\n{}\nb"):
        assert NOBODY(around.format(text)) == around.format(BLACK)


@pytest.mark.parametrize(
    "text",
    [
        *("+33 6 12 34 56 78", "06 12 34 56 78", "06.12.34.56.78", "0612345678", "+33612345678"),
        *("+1 (555) 123-4567", "(555) 123-4567 89", "555-123-4567", "+44 (0)20 7946 0958"),
        *("0049/30/1234567", "+49 30 1234 5678", "06\u00a012\u00a034\u00a056\u00a078"),
        *("06\u201112\u201134\u201156\u201178", "4111 1111 1111 1111", "٠٦١٢٣٤٥٦٧٨"),
    ],
)
def test_a_phone_number_is_found(text: str) -> None:
    """However people group the digits."""
    for around in ("{}", "tel:{}", "call {}.", "[{}],", "phone {} or so", "a\n{}\nb"):
        black = NOBODY(around.format(text))
        assert black == around.format(BLACK), black


@pytest.mark.parametrize(
    "text",
    [
        *("14:17:03", "2026-10-05", "2026-10-05 14:17:03", "2026-10-05T14:17:03.123456Z"),
        *("2026-10-05/2026-10-06", "05.10.2026", "10/05/2026", "[12:31] hello", "1:02:03.123456"),
        *("60.00 USD", "1234567.89", "100000.00", "42.00 60.00 18.00", "60.00, 42.00", "-42.00"),
        *("1,234,567.89", "$5.00", "30 %", "95.50 minutes", "12345 bytes", "3.14159265358979"),
        "d16b15c8307a72fcfa1b28ac3a6efcba88911d7ace81d57d4e4b48ef42ce4cee",
        "12345678307a72fcfa1b28ac3a6efcba88911d7ace81d57d4e4b48ef42ce4cee",
        "D16B15C8307A72FCFA1B28AC3A6EFCBA88911D7ACE81D57D4E4B48EF42CE4CEE",
        *("12345678-1234-4123-8123-123456789012", "0190a5d2-ac96-774b-bcce-b302099a8057"),
        *("S-20261005", "evt_12345678", "CL-1", "PO-123456789", "Unity 2021.3.16f1", "v1.2.3"),
        *("line 1234, column 567", "0x1234567890", "1e12345678", "12345678abc", "R2D2"),
    ],
)
def test_other_numbers_stay(text: str) -> None:
    """A pack exists to show amounts, times, dates, hashes and ids."""
    for around in ("{}", "at {} sharp", "({})", "a\n{}\nb"):
        assert NOBODY(around.format(text)) == around.format(text)


def test_what_is_black_says_nothing_of_what_it_was() -> None:
    """One length for all; a name of two words is no longer than one of one word."""
    assert redactor(["Ada Lovelace", "Li"])("Ada Lovelace, Ada, li, ada@x.org, 0612345678") == (
        ", ".join([BLACK] * 5)
    )


def test_lines_and_tabs_stay_in_place() -> None:
    """Redacted text keeps its layout, so that code and chats can still be read."""
    assert ADA("def ada():\n\treturn 1\r\n\n# Ada\n") == (
        f"def {BLACK}():\n\treturn 1\r\n\n# {BLACK}\n"
    )


@given(st.text(max_size=40), st.lists(st.text(max_size=8), max_size=4))
@example("A\u00df0A0A", ["A\u00df0A"])
def test_twice_is_once(text: str, names: list[str]) -> None:
    """Redacting again changes nothing, for any text and any name."""
    redact = redactor(names)
    once = redact(text)
    assert redact(once) == once


@given(st.text(max_size=40), st.lists(st.text(max_size=8), max_size=4))
@example('"Ada" 0612345678', ["Ada"])
def test_nothing_but_black_is_put_over_a_text(text: str, names: list[str]) -> None:
    """Text that is not redacted stays in place: that is how a redacted pack is verified."""
    redact = redactor(names)
    assert is_blacked_out(redact(text).encode(), visible(text).encode())
    assert not redact.finds_name(redact(text))


@given(st.text(alphabet="adA\u0301\u200b _-1.é王", max_size=12), st.text(" ad1_-A", max_size=8))
def test_a_name_of_several_letters_never_shows(around: str, after: str) -> None:
    """A word that equals the name never stays, whatever else the text contains."""
    black = redactor(["Ada"])(f"{around} Ada {after}")
    words = "".join(word if word.isalpha() else " " for word in black).casefold().split()
    assert "ada" not in words


CROWD = ("Ada Lovelace", "Li Nagy", "王芳")
HOSTILE = (
    *("a", "a.", "a@", "a@a.", ".", "1", "1 ", "1-", "1.2", "(1)", "+(", "%+", "Ada ", "li ", "_"),
    *("&", "&#1", "&uuml;", "%", "%41", "%C3%BC", "\\", "\\u0041", "<b", "<b>", "<!", "{\\"),
    *("-->\n", "王\n", "김", "aA", "&a%4<b>\\u0041", "<b>Ada</b>&amp;", '{"a":1}\n'),
    *("\u200b", "\x1b[", "A\u0301", "2026-10-05", "12345678-", "\n", "12.34 ", "王", f"{BLACK}li "),
)


@pytest.mark.parametrize("piece", HOSTILE, ids=short)
def test_a_hostile_text_takes_no_more_work_than_another(piece: str) -> None:
    """Linear work: four times the text takes four times the calls, and not sixteen times."""
    redact = redactor(CROWD)
    text = piece * (2_000 // len(piece))
    redact(text)  # Letters are remembered once they were seen.
    assert calls(lambda: redact(text * 4)) <= 5 * calls(lambda: redact(text))


def test_no_pattern_scans_a_hostile_text_again_and_again() -> None:
    """The work inside of patterns is linear, too."""
    redact = redactor(CROWD)
    for piece in HOSTILE:
        with stopped_if_endless():
            redact(piece * (40_000 // len(piece)))


def test_a_crowd_takes_no_more_work_than_a_few() -> None:
    """A transcript may name thousands of speakers."""
    text = "some words of no consequence " * 200
    crowd = [f"Guest{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{n}x" for n in range(2_000)]
    few, many = redactor(crowd[:2]), redactor(crowd)
    assert calls(lambda: many(text)) <= calls(lambda: few(text)) + 10
