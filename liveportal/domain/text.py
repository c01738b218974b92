"""Text from outside, made safe to show.

Names, titles and reasons come from strangers. A terminal obeys escape sequences in them, a bidi
override shows them in another order than they are stored, and a spreadsheet runs a cell that
begins like a formula.
"""

from __future__ import annotations

from liveportal.domain.patterns import pattern

# Everything is removed in one pass whose parts never run over the same text twice: a string
# sequence ends at the next control character, whatever that is, and possessive quantifiers do not
# look back. So the time is linear, however hostile the text.
_STRING_SEQUENCE = (  # OSC, DCS, SOS, PM, APC: a title, a link, the clipboard.
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x00-\x07\x0e-\x1f\x7f-\x9f]*+(?:\x07|\x1b\\|\x9c)"
)
_CONTROL_SEQUENCE = r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"  # CSI: colours, the cursor, erasing.
_SHORT_SEQUENCE = r"\x1b[ -/]*+[0-~]"
_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_SURROGATES = r"\ud800-\udfff"  # Bytes of an argument that were not UTF-8.
# What is invisible and changes how its neighbours look, or hides text among them. U+200C and
# U+200D (the joiners) stay: Persian, the Indic scripts and family emoji are misspelt without them,
# and they can neither reorder text nor hide any. Variation selectors up to U+FE0F stay for emoji.
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
"""The pattern of what `clean` removes; it has no groups, and takes linear time."""

_UNWANTED = pattern(UNWANTED)
# What a spreadsheet runs at the beginning of a cell, wide and small forms too; and behind a
# semicolon, which parts cells where the comma is for decimals, but for a smiley's nose.
_FORMULA = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"
_RUN = pattern(rf"\A(?= *+{_FORMULA})|(?<=;)(?= *+(?!-\)){_FORMULA})")


def clean(text: str) -> str:
    """Return a text as one line without anything that a terminal would obey or that misleads.

    Escape sequences are removed whole, tabs and line breaks become one space. Takes linear time.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNWANTED.sub("", _BREAKS.sub(" ", text))


def csv_safe(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula; meant for text, never for numbers.

    Whether it takes the comma or the semicolon for what parts cells.
    """
    return _RUN.sub("'", text)
