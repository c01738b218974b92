"""Make text from outside safe to display.

Names, titles and reasons come from strangers. A terminal obeys escape sequences in them, a bidi
override shows them in another order than they are stored, and a spreadsheet evaluates a cell that
begins like a formula.
"""

from __future__ import annotations

from liveportal.domain.patterns import pattern

# Everything is removed in one pass that never scans the same text twice: a string sequence ends at
# the next control character of any kind, and possessive quantifiers do not backtrack. So it takes
# linear time, even for hostile text.
_STRING_SEQUENCE = (  # OSC, DCS, SOS, PM, APC: a title, a link, the clipboard.
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x00-\x07\x0e-\x1f\x7f-\x9f]*+(?:\x07|\x1b\\|\x9c)"
)
_CONTROL_SEQUENCE = r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"  # CSI: colours, the cursor, erasing.
_SHORT_SEQUENCE = r"\x1b[ -/]*+[0-~]"
_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_SURROGATES = r"\ud800-\udfff"  # Bytes of an argument that were not UTF-8.
# Invisible characters that change how their neighbours look, or hide text among them. U+200C and
# U+200D (the joiners) are kept: Persian, the Indic scripts and family emoji are misspelt without
# them, and they can neither reorder nor hide text. Variation selectors up to U+FE0F are kept for
# emoji.
_INVISIBLE = (
    r"\u00ad\u034f\u061c\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
)
_BREAKS = pattern(r"[\t-\r\x85\u2028\u2029]++")
UNWANTED = (
    f"{_STRING_SEQUENCE}|{_CONTROL_SEQUENCE}|{_SHORT_SEQUENCE}"
    f"|[{_CONTROLS}{_SURROGATES}{_INVISIBLE}]"
)
"""Matches what `clean` removes; has no groups and takes linear time."""

_UNWANTED = pattern(UNWANTED)
# Characters that begin a formula, including full-width and small forms: at the start of a cell, and
# after a semicolon, which separates cells in locales with a decimal comma (but not in ";-)").
_FORMULA = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"
_FORMULA_START = pattern(rf"\A(?= *+{_FORMULA})|(?<=;)(?= *+(?!-\)){_FORMULA})")


def clean(text: str) -> str:
    """Return a text as one line, without anything that controls a terminal or misleads.

    Escape sequences are removed whole; tabs and line breaks become one space. Takes linear time.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNWANTED.sub("", _BREAKS.sub(" ", text))


def csv_safe(text: str) -> str:
    """Return a text that no spreadsheet evaluates as a formula; for text, never for numbers.

    It is safe with comma and with semicolon as the cell separator.
    """
    return _FORMULA_START.sub("'", text)
