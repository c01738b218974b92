"""Chats saved by Zoom, in the language of the user who saved them.

The formats are `14:02:11 From Mina to Everyone:` with the text below, in older versions
`14:02:11 From  Mina  to  Everyone : text` on one line; for cloud recordings `00:12:31`, `Mina:` and
the text, separated by tabs; and `From Mina to Everyone:  02:02 PM` for a copy from the window. Each
language has its own words for *from* and *to*, and some have only one word between the two names or
after each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from liveportal.feeds.transcripts.lines import HEAD, ParsedMessage, Stamp, join_continuations
from liveportal.feeds.transcripts.times import read_time, stamp_of

_DAY = r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})[T \t]+)?"
_HEADER = re.compile(rf"{_DAY}([0-9]{{1,2}}):([0-9]{{2}}):([0-9]{{2}})([ \t\u3000]+)(?=\S)")
_CLOUD = re.compile(r"([0-9]{2,3}):([0-9]{2}):([0-9]{2})\t([^\t]{1,200})\t")
_COPIED = re.compile(
    r"(\S.{0,200}?)[:\uff1a]?[ \t\u00a0]+"
    r"([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:[ \u00a0\u202f][AP]M)?)[ \t]*$"
)

_KEYWORDS = {
    "From": ("to",),
    "Von": ("an", "bis"),
    "De": ("\u00e0", "a", "para", "pour"),
    "Desde": ("hasta", "para", "a"),
    "Da": ("a", "per"),
    "Van": ("aan", "naar"),
    "Fr\u00e5n": ("till",),
    "Fra": ("til",),
    "Od": ("do", "dla", "komu", "pro"),
    "\u041e\u0442": ("\u043a\u043e\u043c\u0443", "\u0434\u043b\u044f", "\u0434\u043e", "\u043a"),
    "\u0412\u0456\u0434": ("\u0434\u043e", "\u043a\u043e\u043c\u0443"),
    "Dari": ("ke", "kepada"),
    "T\u1eeb": ("\u0111\u1ebfn", "t\u1edbi"),
    "\u958b\u59cb": ("\u7d42\u4e86",),  # Japanese: Zoom uses "begin" and "end".
    "\u9001\u4fe1\u8005": ("\u5b9b\u5148", "\u53d7\u4fe1\u8005"),
    "\u5dee\u51fa\u4eba": ("\u5b9b\u5148",),
    "\u4ece": ("\u5230", "\u81f3", "\u53d1\u9001\u81f3", "\u53d1\u9001\u7ed9"),
    "\u5f9e": ("\u5230", "\u81f3", "\u50b3\u9001\u81f3", "\u50b3\u9001\u7d66"),
    "\u81ea": ("\u81f3", "\u5230"),
    "\u6765\u81ea": (
        "\u5230",
        "\u81f3",
        "\u53d1\u9001\u81f3",
        "\u53d1\u9001\u7ed9",
        "\u53d1\u7ed9",
    ),
    "\u4f86\u81ea": (
        "\u5230",
        "\u81f3",
        "\u50b3\u9001\u81f3",
        "\u50b3\u9001\u7d66",
        "\u50b3\u7d66",
    ),
    "\uc2dc\uc791": ("\uc885\ub8cc", "\ub05d"),
    "\ubcf4\ub0b8 \uc0ac\ub78c": ("\ubc1b\ub294 \uc0ac\ub78c",),
    "\ubc1c\uc2e0\uc790": ("\uc218\uc2e0\uc790", "\ubc1b\ub294 \uc0ac\ub78c"),
}
"""The words before the sender and before the recipient, by language."""

# For languages with one word between the names: the word, and the ending of the second name.
_SEPARATORS = {
    "\u304b\u3089": "",  # Japanese,
    "\ub2d8\uc774 ": "\uc5d0\uac8c",  # Korean,
    "\uc774 ": "\uc5d0\uac8c",
    "\uac00 ": "\uc5d0\uac8c",
    " \u5bf9 ": "",  # Chinese,
    " \u5c0d ": "",
    " \u53d1\u9001\u7ed9 ": "",
    " \u50b3\u9001\u7d66 ": "",
    " kimden ": "",  # Turkish.
    " ki\u015fisinden ": "",
}
_TO_ALL = re.compile(
    "(.+) (?:to everyone|an alle|\u00e0 tout le monde|a todos|para todos|a tutti|aan iedereen)",
    re.IGNORECASE,
)
_DIRECT = re.compile(r"\s*[(\uff08][^()\uff08\uff09]{1,60}[)\uff09]\s*$")


def is_zoom(line: str) -> bool:
    """Return True if a line begins a message of a Zoom chat."""
    return isinstance(_parse_line(line), ParsedMessage)


def read_zoom_chat(lines: Iterable[str]) -> Iterator[ParsedMessage]:
    """Yield the messages of a Zoom chat."""
    return join_continuations(map(_parse_line, lines))


def _parse_line(line: str) -> ParsedMessage | str:
    """Return the message that a line begins, or the line if it continues a message."""
    head = line[:HEAD]
    if match := _CLOUD.match(head):
        hours, minutes, seconds = map(int, match.groups()[:3])
        text = line[match.end() :]
        return ParsedMessage(
            ((hours * 60 + minutes) * 60 + seconds) * 1000, match[4].rstrip(":"), text
        )
    match = _HEADER.match(head)
    if not match:
        return _parse_copied(head) or line.removeprefix("\t")
    stamp = stamp_of(match[1], int(match[2]), int(match[3]), int(match[4]))
    rest = line[match.end() :]
    # A name may contain a colon; the colon before the text has spaces around it, or ends the line.
    who, text = _split_header(rest)
    if (sender := _sender(who)) is not None:
        return ParsedMessage(stamp, sender, text)
    # Old versions give the sender only. Words of other languages may be names (De Vries).
    if who.startswith("From ") or ("\t" in match[5] and _from_keyword(who)):
        return ParsedMessage(stamp, who.partition(" ")[2], text)
    return line.removeprefix("\t")


def _split_header(rest: str) -> tuple[str, str]:
    """Split a header into names and text; the names are empty if no colon ends them."""
    names, separator, _ = rest[:HEAD].partition(" : ")
    if separator:
        return names, rest[len(names) + len(separator) :]
    stripped = rest.rstrip()
    if stripped.endswith((":", "\uff1a")):
        return stripped[:-1], ""
    match = re.search("[:\uff1a]", rest[:HEAD])
    return (rest[: match.start()], rest[match.end() :]) if match else ("", "")


def _parse_copied(head: str) -> ParsedMessage | None:
    """Return the message that a line copied from the window begins, or None."""
    match = _COPIED.match(head) if _from_keyword(head) else None
    sender = _sender(match[1]) if match else None
    return ParsedMessage(_parse_stamp(match[2]), sender, "") if match and sender else None


def _parse_stamp(text: str) -> Stamp:
    time = read_time(text)
    return time.stamp if time else None


def _from_keyword(who: str) -> str | None:
    """Return the word for *from* at the beginning of a line, or None."""
    return next((word for word in _KEYWORDS if who.startswith((f"{word} ", f"{word}: "))), None)


def _sender(who: str) -> str | None:
    """Return the sender in `From Mina to Joe(Direct Message)` in any language, or None."""
    names = _DIRECT.sub("", who.strip())
    word = _from_keyword(names)
    if word:
        rest = names[len(word) :].lstrip(" :")
        if sender := _before_word(rest, _KEYWORDS[word]):
            return sender
    return sender_without_keyword(names)


def _before_word(names: str, words: Iterable[str]) -> str | None:
    """Return the text before the last word for *to*; two spaces around it are preferred."""
    for blanks in ("  ", " "):
        index = max(
            (names.rfind(f"{blanks}{word}{end}") for word in words for end in (blanks, ":")),
            default=-1,
        )
        if index > 0:
            return names[:index].strip()
    return None


def sender_without_keyword(names: str) -> str | None:
    """Return the sender if there is no word before both names; None if nothing separates them."""
    if to_all := _TO_ALL.fullmatch(names):
        return to_all[1].strip()
    for keyword, end in _SEPARATORS.items():
        sender, separator, recipient = names.rpartition(keyword)
        if separator and sender.strip() and recipient.strip() and recipient.rstrip().endswith(end):
            return sender.strip()
    return None
