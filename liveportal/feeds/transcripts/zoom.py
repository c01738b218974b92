"""Chats that Zoom saves, in the language of whoever saved them.

`14:02:11 From Mina to Everyone:` and the text below, formerly `14:02:11 From  Mina  to  Everyone :
text` on one line; for recordings in its cloud `00:12:31`, `Mina:` and the text between tabs; and
`From Mina to Everyone:  02:02 PM` where the window was copied. Other languages have other words for
*from* and *to*, and some of them only one between the two names or behind each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from liveportal.feeds.transcripts.lines import HEAD, Said, Stamp, joined
from liveportal.feeds.transcripts.times import read_time, stamp_of

_DAY = r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})[T \t]+)?"
_HEADER = re.compile(rf"{_DAY}([0-9]{{1,2}}):([0-9]{{2}}):([0-9]{{2}})([ \t\u3000]+)(?=\S)")
_CLOUD = re.compile(r"([0-9]{2,3}):([0-9]{2}):([0-9]{2})\t([^\t]{1,200})\t")
_COPIED = re.compile(
    r"(\S.{0,200}?)[:\uff1a]?[ \t\u00a0]+"
    r"([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:[ \u00a0\u202f][AP]M)?)[ \t]*$"
)

_WORDS = {
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
    "\u958b\u59cb": ("\u7d42\u4e86",),  # Japanese: Zoom says "begin" and "end".
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
"""The words before who writes and before who reads it, language by language."""

# Where there is one word between the names, what the second then ends with.
_BETWEEN = {
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
    """Return whether a line begins a message of a chat that Zoom saved."""
    return isinstance(_read(line), Said)


def zoom_said(lines: Iterable[str]) -> Iterator[Said]:
    """Yield what was said in a chat that Zoom saved."""
    return joined(map(_read, lines))


def _read(line: str) -> Said | str:
    """Return the message that a line begins, or the line if it goes on with one."""
    head = line[:HEAD]
    if match := _CLOUD.match(head):
        hours, minutes, seconds = map(int, match.groups()[:3])
        spoken = line[match.end() :]
        return Said(((hours * 60 + minutes) * 60 + seconds) * 1000, match[4].rstrip(":"), spoken)
    match = _HEADER.match(head)
    if not match:
        return _copied(head) or line.removeprefix("\t")
    stamp = stamp_of(match[1], int(match[2]), int(match[3]), int(match[4]))
    rest = line[match.end() :]
    # A name may hold a colon; what stands between it and the text has blanks around it, or ends
    # the line.
    who, text = _parted(rest)
    if (sender := _sender(who)) is not None:
        return Said(stamp, sender, text)
    # Of old only who writes: other words than English ones are also names (De Vries).
    if who.startswith("From ") or ("\t" in match[5] and _from(who)):
        return Said(stamp, who.partition(" ")[2], text)
    return line.removeprefix("\t")


def _parted(rest: str) -> tuple[str, str]:
    """Return the names of a header, and the text behind them; no names where no colon ends them."""
    who, between, _ = rest[:HEAD].partition(" : ")
    if between:
        return who, rest[len(who) + len(between) :]
    bare = rest.rstrip()
    if bare.endswith((":", "\uff1a")):
        return bare[:-1], ""
    match = re.search("[:\uff1a]", rest[:HEAD])
    return (rest[: match.start()], rest[match.end() :]) if match else ("", "")


def _copied(head: str) -> Said | None:
    """Return the message that a line of the copied window begins: names, then the time."""
    match = _COPIED.match(head) if _from(head) else None
    sender = _sender(match[1]) if match else None
    return Said(_time(match[2]), sender, "") if match and sender else None


def _time(text: str) -> Stamp:
    read = read_time(text)
    return read.stamp if read else None


def _from(who: str) -> str | None:
    """Return the word for *from* that a line begins with, if any."""
    return next((word for word in _WORDS if who.startswith((f"{word} ", f"{word}: "))), None)


def _sender(who: str) -> str | None:
    """Return who wrote, of `From Mina to Joe(Direct Message)` in whatever language; else None."""
    names = _DIRECT.sub("", who.strip())
    word = _from(names)
    if word:
        rest = names[len(word) :].lstrip(" :")
        if sender := _before_word(rest, _WORDS[word]):
            return sender
    return parted_names(names)


def _before_word(names: str, words: Iterable[str]) -> str | None:
    """Return what stands before the last of the words for *to*; two blanks part more surely."""
    for blanks in ("  ", " "):
        found = max(
            (names.rfind(f"{blanks}{word}{end}") for word in words for end in (blanks, ":")),
            default=-1,
        )
        if found > 0:
            return names[:found].strip()
    return None


def parted_names(names: str) -> str | None:
    """Return who wrote where no word stands before both names; None where nothing parts them."""
    if to_all := _TO_ALL.fullmatch(names):
        return to_all[1].strip()
    for between, end in _BETWEEN.items():
        sender, found, reader = names.rpartition(between)
        if found and sender.strip() and reader.strip() and reader.rstrip().endswith(end):
            return sender.strip()
    return None
